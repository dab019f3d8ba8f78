//! The machine that tests loads in the development account: an IAM user's long-lived key that starts
//! machines and reads large objects each working night. What it may do is what makes its key worth
//! stealing.

use std::rc::Rc;

use serde_json::json;

use super::occasion::long_lived_key;
use super::own_user::user_id;
use crate::call::Call;
use crate::client::Client;
use crate::delivery::Delivery;
use crate::dice::Dice;
use crate::network;
use crate::organisation::{Account, DEV};
use crate::session::{Caller, Identity};
use crate::stage::{Day, Stage};
use crate::time::{HOUR, MINUTE};

/// The machine's IAM user.
pub(crate) const LOAD_TEST_USER: &str = "load-runner";
/// Where its large objects lie.
pub(crate) const ARCHIVE_BUCKET: &str = "halyard-scratch-dev";
/// The key prefix of its large objects.
pub(crate) const ARCHIVE: &str = "load-test";

/// The machine by its long-lived key.
pub(crate) fn load_test_user(stage: &Stage) -> Rc<Identity> {
    let id = user_id(stage, DEV, LOAD_TEST_USER);
    let key = long_lived_key(stage.seeds, DEV.id, LOAD_TEST_USER);
    Identity::user(DEV.id, LOAD_TEST_USER, &id, &key)
}

/// The start of `count` machines.
pub(crate) fn launch(account: Account, count: i64, dice: &mut Dice) -> Call {
    let image = format!("ami-0{}", dice.hex(16));
    let machines: Vec<_> = (0..count)
        .map(|_| {
            json!({
                "instanceId": format!("i-0{}", dice.hex(16)), "imageId": image,
                "instanceType": "c6i.4xlarge", "instanceState": {"code": 0, "name": "pending"},
            })
        })
        .collect();
    Call::named("ec2:RunInstances")
        .request(json!({
            "instancesSet": {"items": [{"imageId": image, "minCount": count, "maxCount": count}]},
            "instanceType": "c6i.4xlarge", "monitoring": {"enabled": false},
        }))
        .response(json!({
            "reservationId": format!("r-0{}", dice.hex(16)), "ownerId": account.id,
            "instancesSet": {"items": machines},
        }))
}

pub(super) fn play(stage: &Stage, day: Day, out: &mut Delivery<'_>) {
    if day.weekend {
        return;
    }
    let mut dice = stage.stream("load test", day);
    let client = Client::fixed(
        "Boto3/1.35.99 md/Botocore#1.35.99 ua/2.0 os/linux#5.15.0-130-generic md/arch#x86_64 lang/python#3.10.12 md/pyimpl#CPython cfg/retry-mode#adaptive Botocore/1.35.99",
    );
    let caller = Caller::new(&load_test_user(stage), network::OFFICE, &client);
    let mut at = day.midnight + HOUR + dice.between(0, 30 * MINUTE);
    let count = dice.between(6, 12);
    let started = launch(DEV, count, &mut dice);
    let machines = started.response["instancesSet"].clone();
    out.benign(&mut dice, at, DEV, &caller, &started);
    for _ in 0..stage.length(&mut dice, 4, 9) {
        at += dice.between(15, 40);
        let call = Call::named("ec2:DescribeInstances");
        out.benign(&mut dice, at, DEV, &caller, &call);
    }
    for _ in 0..stage.length(&mut dice, 12, 30) {
        at += dice.between(1, 20);
        let key = format!("{ARCHIVE}/part-{:05}.parquet", dice.below(2000));
        let bytes = dice.between(8 << 20, 64 << 20);
        let call = Call::object("s3:GetObject", ARCHIVE_BUCKET, &key, bytes).in_account(DEV);
        out.benign(&mut dice, at, DEV, &caller, &call);
    }
    at += dice.between(5 * MINUTE, 20 * MINUTE);
    let call = Call::named("ec2:TerminateInstances").request(json!({"instancesSet": machines}));
    out.benign(&mut dice, at, DEV, &caller, &call);
}
