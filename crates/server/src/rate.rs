//! How often one may ask: buckets of tokens, one each caller.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A bucket holds so many, and gets so many a second.
#[derive(Clone, Copy, Debug)]
struct Rate {
    most: f64,
    a_second: f64,
}

const REQUESTS: Rate = Rate {
    most: 400.0,
    a_second: 100.0,
};

/// Tokens that were wrong: guessing 256 bits is hopeless, and the log should not fill with it.
const WRONG: Rate = Rate {
    most: 10.0,
    a_second: 0.2,
};

/// So many callers are remembered; beyond it those whose buckets are full again are forgotten.
const CALLERS: usize = 10_000;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

#[derive(Debug, Default)]
pub(crate) struct Rates {
    requests: Mutex<HashMap<IpAddr, Bucket>>,
    wrong: Mutex<HashMap<IpAddr, Bucket>>,
}

impl Rates {
    /// Whether one more request may be answered.
    pub(crate) fn may_ask(&self, who: IpAddr) -> bool {
        take(&self.requests, REQUESTS, who, Instant::now(), 1.0)
    }

    /// Whether a token of this caller is looked at; nothing is counted.
    pub(crate) fn may_try(&self, who: IpAddr) -> bool {
        take(&self.wrong, WRONG, who, Instant::now(), 0.0)
    }

    /// Counts a wrong token.
    pub(crate) fn was_wrong(&self, who: IpAddr) {
        take(&self.wrong, WRONG, who, Instant::now(), 1.0);
    }
}

fn take(
    buckets: &Mutex<HashMap<IpAddr, Bucket>>,
    rate: Rate,
    who: IpAddr,
    now: Instant,
    cost: f64,
) -> bool {
    let mut buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
    let filled = |bucket: &Bucket| {
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        (bucket.left + since * rate.a_second).min(rate.most)
    };
    if buckets.len() >= CALLERS && !buckets.contains_key(&who) {
        buckets.retain(|_, bucket| filled(bucket) < rate.most);
        if buckets.len() >= CALLERS {
            return false;
        }
    }
    let bucket = buckets.entry(who).or_insert(Bucket {
        left: rate.most,
        at: now,
    });
    *bucket = Bucket {
        left: filled(bucket),
        at: now,
    };
    let may = bucket.left >= 1.0;
    if may {
        bucket.left -= cost;
    }
    may
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_empties_and_fills() {
        let buckets = Mutex::default();
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let start = Instant::now();
        let ask = |who, after| take(&buckets, WRONG, who, start + after, 1.0);
        assert!((0..10).all(|_| ask(one, Duration::ZERO)));
        assert!(!ask(one, Duration::ZERO));
        assert!(ask(other, Duration::ZERO), "each has a bucket of its own");
        assert!(!ask(one, Duration::from_secs(4)));
        assert!(ask(one, Duration::from_secs(6)));
        assert!(!ask(one, Duration::from_secs(6)));
    }

    #[test]
    fn strangers_do_not_fill_the_memory() {
        let buckets = Mutex::default();
        let start = Instant::now();
        for number in 0..CALLERS as u32 + 50 {
            take(&buckets, WRONG, IpAddr::V4(number.into()), start, 1.0);
        }
        assert_eq!(buckets.lock().unwrap().len(), CALLERS);
        let later = start + Duration::from_secs(60);
        assert!(take(
            &buckets,
            WRONG,
            IpAddr::V4(u32::MAX.into()),
            later,
            1.0
        ));
        assert_eq!(buckets.lock().unwrap().len(), 1);
    }
}
