//! What keys in S3 and local paths tell.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::Place;

/// The last part of a path or key.
pub(crate) fn base(path: &str) -> &str {
    parts(path).next().unwrap_or_default()
}

/// The parts of a path, the last first.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.rsplit(['/', '\\'])
}

/// How many parts at their ends a path and a key share.
pub(crate) fn shared_parts(path: &str, key: &str) -> usize {
    parts(path)
        .zip(parts(key))
        .take_while(|(one, other)| one == other)
        .count()
}

/// The chain of a digest by its key:
/// `[prefix/]AWSLogs/[O-ID/]ACCOUNT/CloudTrail-Digest/REGION/Y/M/D/ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOME_TIME[_backfill].json.gz`.
/// A key of another form makes a chain of its own, so that nothing is put in order that has none.
pub(crate) fn place_of_digest(key: &str, account: &str) -> Place {
    let mut place = Place {
        account: account.to_owned(),
        ..Place::default()
    };
    let name = base(key).trim_end_matches(".gz").trim_end_matches(".json");
    let name = match name.strip_suffix("_backfill") {
        Some(rest) => {
            place.backfill = true;
            rest
        }
        None => name,
    };
    let tail = name
        .strip_prefix(account)
        .and_then(|rest| rest.strip_prefix("_CloudTrail-Digest_"));
    match tail.and_then(names) {
        Some((region, trail, home)) => {
            place.region = region.to_owned();
            place.trail = trail.to_owned();
            place.home = home.to_owned();
        }
        None => place.trail = name.to_owned(),
    }
    place
}

/// Region, trail and home region of `REGION_TRAIL_HOME_TIME`. A trail's name may hold `_`.
fn names(text: &str) -> Option<(&str, &str, &str)> {
    let (region, rest) = text.split_once('_')?;
    let (rest, _) = rest.rsplit_once('_')?;
    let (trail, home) = rest.rsplit_once('_')?;
    Some((region, trail, home))
}

/// What a log file's name tells: `ACCOUNT_CloudTrail_REGION_20260302T1405Z_SUFFIX.json.gz`, the account,
/// the region and when it was delivered, to the minute.
pub fn delivery(path: &str) -> Option<(&str, &str, Timestamp)> {
    let mut fields = base(path).split('_');
    let account = fields.next()?;
    fields.next()?.starts_with("CloudTrail").then_some(())?;
    let region = fields.next()?;
    let time = DateTime::strptime("%Y%m%dT%H%MZ", fields.next()?).ok()?;
    let time = time.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some((account, region, time))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "p/AWSLogs/o-x/111122223333/CloudTrail-Digest/us-east-2/2015/08/17/111122223333_CloudTrail-Digest_us-east-2_my_own_trail_eu-west-1_20150817T150131Z.json.gz";

    #[test]
    fn keys_name_the_chain() {
        let place = place_of_digest(KEY, "111122223333");
        assert_eq!(place.region, "us-east-2");
        assert_eq!((&*place.trail, &*place.home), ("my_own_trail", "eu-west-1"));
        assert!(!place.backfill);
        let late = KEY.replace(".json.gz", "_backfill.json.gz");
        let late = place_of_digest(&late, "111122223333");
        assert!(late.backfill);
        assert_eq!(late.trail, place.trail);
        assert_eq!(place_of_digest("odd/name", "1").trail, "name");
    }

    #[test]
    fn paths_are_compared_from_their_ends() {
        assert_eq!(shared_parts("copy/2015/08/17/a.gz", "x/2015/08/17/a.gz"), 4);
        assert_eq!(shared_parts("C:\\copy\\17\\a.gz", "x/2015/08/17/a.gz"), 2);
        assert_eq!(shared_parts("b.gz", "a.gz"), 0);
    }

    #[test]
    fn names_of_logs_tell_when_they_were_delivered() {
        let (account, region, time) =
            delivery("d/111122223333_CloudTrail_eu-west-1_20260302T1405Z_Ab.json.gz").unwrap();
        assert_eq!((account, region), ("111122223333", "eu-west-1"));
        assert_eq!(time.to_string(), "2026-03-02T14:05:00Z");
        for other in [
            "a.json",
            "1_CloudTrail_r_now_x",
            "1_Config_r_20260302T1405Z_x",
        ] {
            assert!(delivery(other).is_none());
        }
    }
}
