//! Election timeouts that follow from a seed.
//!
//! The timeout is the engine's only random choice: it rolls a thread-local generator inside every
//! reset. With a seed we write our own number over it after each call, a new one whenever term,
//! leader or role changed (that is when the engine resets).

use raft::{Raft, Storage};

pub struct SeededTimeouts {
    seed: u64, // 0: leave the engine's own randomness.
    low: u64,
    high: u64, // Exclusive.
    shape: (u64, u64, u8),
    rolls: u64,
    ticks: usize,
}

impl SeededTimeouts {
    pub fn new(seed: u64, low: u64, high: u64) -> SeededTimeouts {
        SeededTimeouts { seed, low, high, shape: (0, 0, 0), rolls: 0, ticks: 0 }
    }

    /// To be called after everything that may have changed the engine.
    pub fn settle<T: Storage>(&mut self, raft: &mut Raft<T>) {
        if self.seed == 0 {
            return;
        }
        let shape = (raft.term, raft.leader_id, raft.state as u8);
        if shape != self.shape || self.rolls == 0 {
            self.shape = shape;
            self.ticks = self.roll(raft.id);
        }
        if raft.randomized_election_timeout() != self.ticks {
            raft.set_randomized_election_timeout(self.ticks);
        }
    }

    fn roll(&mut self, id: u64) -> usize {
        self.rolls += 1;
        let hash = mix(self.seed ^ mix(id ^ mix(self.rolls)));
        (self.low + hash % (self.high - self.low)) as usize
    }
}

/// splitmix64's output function.
fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rolls_stay_in_range_and_follow_from_the_seed() {
        let draw = |seed, id| {
            let mut timeouts = SeededTimeouts::new(seed, 10, 20);
            (0..200).map(|_| timeouts.roll(id)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2), "replicas must not time out together for ever");
        assert_ne!(draw(7, 1), draw(8, 1));
        let all = draw(7, 1);
        assert!(all.iter().all(|t| (10..20).contains(t)));
        assert!((10..20).all(|t| all.contains(&t)), "every timeout of the range occurs");
    }
}
