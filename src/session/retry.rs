//! How long to wait before another attempt.

use std::time::Duration;

use rand::TryRng;
use rand::rngs::SysRng;

use super::config::Retry;

/// A random time up to a limit that doubles with each attempt, so that transactions that met once do not meet again.
pub(super) fn pause(retry: &Retry, attempt: u32) -> Duration {
    let doubled = retry
        .first_pause
        .saturating_mul(1 << attempt.saturating_sub(1).min(16));
    let limit = doubled.min(retry.longest_pause);
    // Without random bits everybody waits the whole time, which is only slower.
    let share = SysRng
        .try_next_u32()
        .map_or(1.0, |bits| f64::from(bits) / f64::from(u32::MAX));
    limit.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_stay_within_their_limit() {
        let retry = Retry::attempts(40).pauses(Duration::from_millis(1), Duration::from_millis(100));
        for attempt in 1..40 {
            let limit = Duration::from_millis(1 << attempt.min(20)).min(Duration::from_millis(100));
            assert!(pause(&retry, attempt) <= limit);
        }
    }
}
