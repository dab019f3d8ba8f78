use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::call::Call;
use crate::dice::{Dice, Seeds};
use crate::faults::{Faults, Share};
use crate::organisation::{Account, HOME_REGION, WEB};
use crate::record::{Record, TlsDetails};
use crate::session::Caller;
use crate::stage::Stage;
use crate::time::{DAY, HOUR, MINUTE, format, iso};
use crate::without::Without;
use crate::{Plan, SimulateError, Sink};

/// A file holds at most this many records; more of one period go into further files.
const FILE_RECORDS: usize = 2_000;

/// What a record of the intrusion is labelled with.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) step: String,
    pub(crate) technique: String,
    pub(crate) lineage: String,
    /// Whether the step has many such records: only then does the usual loss strike.
    pub(crate) one_of_many: bool,
}

/// Turns calls into records and delivers them as CloudTrail does: late, out of order, some twice,
/// a few never.
pub(crate) struct Delivery<'a> {
    sink: &'a mut dyn Sink,
    organisation_id: String,
    log_bucket: String,
    seeds: Seeds,
    /// Midnight of the plan's first day.
    start: i64,
    /// Events outside of this are not delivered.
    window: (i64, i64),
    faults: Faults,
    without: &'a [Without],
    /// Records that background may still add.
    background_left: usize,
    /// Records that the intrusion may still add.
    intrusion_left: usize,
    pending: BTreeMap<(i64, &'static str, &'static str), Vec<Pending>>,
    delivered: BTreeMap<(&'static str, &'static str), Vec<Value>>,
    failure: Option<SimulateError>,
    pub(crate) counts: Counts,
}

/// What was delivered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) records: usize,
    pub(crate) duplicates: usize,
    pub(crate) lost: usize,
    pub(crate) left_out: usize,
    pub(crate) labels: usize,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
}

struct Pending {
    arrival: i64,
    time: i64,
    json: Vec<u8>,
}

impl<'a> Delivery<'a> {
    pub(crate) fn new(
        sink: &'a mut dyn Sink,
        stage: &Stage,
        plan: &'a Plan,
        window: (i64, i64),
        intrusion_records: usize,
    ) -> Self {
        let organisation = &stage.organisation;
        let intrusion_left = intrusion_records.min(plan.max_records);
        Self {
            sink,
            organisation_id: organisation.id.clone(),
            log_bucket: organisation.log_bucket.clone(),
            seeds: organisation.seeds,
            start: stage.start,
            window,
            faults: plan.faults,
            without: &plan.without,
            background_left: plan.max_records - intrusion_left,
            intrusion_left,
            pending: BTreeMap::new(),
            delivered: BTreeMap::new(),
            failure: None,
            counts: Counts::default(),
        }
    }

    /// Something that anyone may do.
    pub(crate) fn benign(
        &mut self,
        dice: &mut Dice,
        time: i64,
        account: Account,
        caller: &Caller,
        call: &Call,
    ) {
        self.deliver(dice, time, account, caller, call, None, false);
    }

    /// A change that an administrator makes. Like a step of few records it is spared from the usual
    /// loss.
    pub(crate) fn change(
        &mut self,
        dice: &mut Dice,
        time: i64,
        account: Account,
        caller: &Caller,
        call: &Call,
    ) {
        self.deliver(dice, time, account, caller, call, None, true);
    }

    /// Something that the intruder does.
    pub(crate) fn attack(
        &mut self,
        dice: &mut Dice,
        time: i64,
        account: Account,
        caller: &Caller,
        call: &Call,
        label: &Label,
    ) {
        self.deliver(
            dice,
            time,
            account,
            caller,
            call,
            Some(label),
            !label.one_of_many,
        );
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one place that three short ways lead to"
    )]
    fn deliver(
        &mut self,
        dice: &mut Dice,
        time: i64,
        account: Account,
        caller: &Caller,
        call: &Call,
        label: Option<&Label>,
        one_of_few: bool,
    ) {
        // Always the same draws in the same order, so that the plan's faults change what is
        // delivered and never what happened.
        let event_id = dice.uuid();
        let (from, to) = if call.is_data() { (5, 20) } else { (2, 15) };
        let late = dice.between(from * MINUTE, to * MINUTE) * i64::from(self.faults.delay) / 100;
        let loss = self.faults.loss.unwrap_or(Share::ONE_PERCENT);
        let lost = dice.millionth(loss.millionths());
        let held_up = dice.millionth(self.faults.held_up.millionths());
        let holding = dice.between(HOUR, 12 * HOUR);
        let again = dice.millionth(self.faults.duplicates.millionths());
        let pause = dice.between(70 * MINUTE, 3 * HOUR);
        let json = render(dice, time, account, caller, call, &event_id);
        if time < self.window.0 || time >= self.window.1 {
            return;
        }
        let day = (time - self.start).div_euclid(DAY);
        if self
            .without
            .iter()
            .any(|without| without.hides(account, caller, call, day))
        {
            self.counts.left_out += 1;
            return;
        }
        let spared = self.faults.loss.is_none() && one_of_few;
        if lost && !spared {
            self.counts.lost += 1;
            return;
        }
        let arrival = time + late + if held_up { holding } else { 0 };
        let again = again.then(|| arrival + pause);
        let left = if label.is_some() {
            &mut self.intrusion_left
        } else {
            &mut self.background_left
        };
        let Some(rest) = left.checked_sub(1) else {
            return;
        };
        *left = rest;
        let again = again.filter(|_| *left > 0);
        if again.is_some() {
            *left -= 1;
            self.counts.duplicates += 1;
        }
        if let Some(label) = label {
            let line = json!({
                "event_id": event_id, "source": "aws.cloudtrail", "step": label.step,
                "technique": label.technique, "lineage": label.lineage,
            });
            self.counts.labels += 1;
            let done = self.sink.label(&line.to_string());
            self.note(done);
        }
        for arrival in [Some(arrival), again].into_iter().flatten() {
            self.counts.records += 1;
            let period = period(account, call.region);
            let closing = (arrival.div_euclid(period) + 1) * period;
            self.pending
                .entry((closing, account.id, call.region))
                .or_default()
                .push(Pending {
                    arrival,
                    time,
                    json: json.clone(),
                });
        }
    }

    /// Writes every file whose period has ended by `until`, and a digest of them.
    pub(crate) fn write_until(&mut self, until: i64) -> Result<(), SimulateError> {
        let later = self.pending.split_off(&(until + 1, "", ""));
        let closed = std::mem::replace(&mut self.pending, later);
        for ((closing, account, region), mut records) in closed {
            records.sort_by_key(|record| (record.arrival, record.time));
            for (part, records) in records.chunks(FILE_RECORDS).enumerate() {
                self.write_file(closing, part, account, region, records)?;
            }
        }
        self.write_digests(until)?;
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Writes all that is left.
    pub(crate) fn finish(mut self) -> Result<Counts, SimulateError> {
        let last = self
            .pending
            .keys()
            .next_back()
            .map_or(self.window.1, |(closing, ..)| *closing);
        self.write_until(last.max(self.window.1))?;
        Ok(self.counts)
    }

    fn write_file(
        &mut self,
        closing: i64,
        part: usize,
        account: &'static str,
        region: &'static str,
        records: &[Pending],
    ) -> Result<(), SimulateError> {
        let mut text = Vec::with_capacity(
            records
                .iter()
                .map(|record| record.json.len() + 1)
                .sum::<usize>()
                + 16,
        );
        text.extend_from_slice(b"{\"Records\":[");
        for (index, record) in records.iter().enumerate() {
            if index > 0 {
                text.push(b',');
            }
            text.extend_from_slice(&record.json);
        }
        text.extend_from_slice(b"]}");
        let suffix = self
            .seeds
            .stream(&format!("file {account} {region} {part}"), closing as u64)
            .alphanumeric(16);
        let path = format!(
            "AWSLogs/{}/{account}/CloudTrail/{region}/{}/{account}_CloudTrail_{region}_{}_{suffix}.json.gz",
            self.organisation_id,
            format(closing, "%Y/%m/%d"),
            format(closing, "%Y%m%dT%H%MZ"),
        );
        let done = self.sink.log(&format!("logs/{path}"), &compress(&text)?);
        self.note(done);
        self.counts.files += 1;
        self.counts.bytes += text.len() as u64;
        let times = records.iter().map(|record| record.time);
        self.delivered
            .entry((account, region))
            .or_default()
            .push(json!({
                "s3Bucket": self.log_bucket, "s3Object": path,
                "hashValue": hexadecimal(&Sha256::digest(&text)), "hashAlgorithm": "SHA-256",
                "newestEventTime": iso(times.clone().max().unwrap_or(closing)),
                "oldestEventTime": iso(times.min().unwrap_or(closing)),
            }));
        Ok(())
    }

    fn write_digests(&mut self, until: i64) -> Result<(), SimulateError> {
        for ((account, region), files) in std::mem::take(&mut self.delivered) {
            let path = |end: i64| {
                format!(
                    "AWSLogs/{}/{account}/CloudTrail-Digest/{region}/{}/{account}_CloudTrail-Digest_{region}_organisation_{HOME_REGION}_{}.json.gz",
                    self.organisation_id,
                    format(end, "%Y/%m/%d"),
                    format(end, "%Y%m%dT%H%M%SZ"),
                )
            };
            let fingerprint = self.seeds.stream("digest key", 0).hex(32);
            let signature = |end: i64| {
                self.seeds
                    .stream(&format!("digest {account} {region}"), end as u64)
                    .hex(64)
            };
            let times = |key: &str| {
                files
                    .iter()
                    .filter_map(|file| file[key].as_str().map(str::to_owned))
                    .collect::<Vec<_>>()
            };
            let digest = json!({
                "awsAccountId": account, "digestStartTime": iso(until - DAY), "digestEndTime": iso(until),
                "digestS3Bucket": self.log_bucket, "digestS3Object": path(until),
                "digestPublicKeyFingerprint": fingerprint, "digestSignatureAlgorithm": "SHA256withRSA",
                "newestEventTime": times("newestEventTime").into_iter().max(),
                "oldestEventTime": times("oldestEventTime").into_iter().min(),
                "previousDigestS3Bucket": self.log_bucket, "previousDigestS3Object": path(until - DAY),
                "previousDigestHashAlgorithm": "SHA-256", "previousDigestHashValue": signature(until - DAY),
                "previousDigestSignature": signature(until - DAY), "logFiles": files,
            });
            let bytes = compress(digest.to_string().as_bytes())?;
            let done = self.sink.log(&format!("logs/{}", path(until)), &bytes);
            self.note(done);
        }
        Ok(())
    }

    fn note(&mut self, done: std::io::Result<()>) {
        if let Err(error) = done
            && self.failure.is_none()
        {
            self.failure = Some(SimulateError::Sink(error));
        }
    }
}

/// How long one file's period is: the busiest place gets a file an hour.
fn period(account: Account, region: &str) -> i64 {
    match (account == WEB, region == HOME_REGION) {
        (true, true) => HOUR,
        (true, false) | (false, true) => 2 * HOUR,
        (false, false) => 4 * HOUR,
    }
}

fn compress(text: &[u8]) -> Result<Vec<u8>, SimulateError> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 8), Compression::new(2));
    encoder.write_all(text)?;
    Ok(encoder.finish()?)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn render(
    dice: &mut Dice,
    time: i64,
    account: Account,
    caller: &Caller,
    call: &Call,
    event_id: &str,
) -> Vec<u8> {
    let by_service = caller.address.ends_with(".amazonaws.com");
    let source = format!("{}.amazonaws.com", call.service);
    let user_agent = caller.client.user_agent(&call.service, &call.operation);
    let (request_id, extended) = if call.service == "s3" {
        (dice.base32(16), Some(format!("{}=", dice.alphanumeric(75))))
    } else {
        (dice.uuid(), None)
    };
    let mut additional = call.additional.clone();
    if let (Some(fields), Some(extended)) = (additional.as_object_mut(), extended) {
        fields.insert("x-amz-id-2".into(), extended.into());
    }
    let host = match call.region {
        _ if call.service == "signin" => "signin.aws.amazon.com".to_owned(),
        _ if call.service == "iam" => "iam.amazonaws.com".to_owned(),
        region => format!("{}.{region}.amazonaws.com", call.service),
    };
    let is_data = call.is_data();
    let record = Record {
        event_version: "1.11",
        user_identity: &caller.identity.json,
        event_time: &iso(time),
        event_source: &source,
        event_name: &call.operation,
        aws_region: call.region,
        source_ip_address: &caller.address,
        user_agent: &user_agent,
        error_code: call.error.as_ref().map(|(code, _)| code.as_str()),
        error_message: call
            .error
            .as_ref()
            .map(|(_, message)| message.as_str())
            .filter(|message| !message.is_empty()),
        request_parameters: &call.request,
        response_elements: &call.response,
        additional_event_data: &additional,
        request_id: Some(&request_id),
        event_id,
        read_only: call.reads(),
        resources: &call.resources,
        event_type: call.event_type,
        management_event: !is_data,
        recipient_account_id: account.id,
        service_event_details: &call.details,
        event_category: if is_data { "Data" } else { "Management" },
        tls_details: (!by_service).then_some(TlsDetails {
            tls_version: "TLSv1.3",
            cipher_suite: "TLS_AES_128_GCM_SHA256",
            client_provided_host_header: &host,
        }),
        session_credential_from_console: caller.identity.console.then_some("true"),
    };
    // Rendering into memory does not fail: every part is a string, a number or a JSON value.
    serde_json::to_vec(&record).unwrap_or_default()
}
