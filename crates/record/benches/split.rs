//! Bytes per second of splitting and of extracting, on generated CloudTrail-like records.

use criterion::{Criterion, Throughput, criterion_main};
use portreeve_record::{Extractor, Fields, Record, SlotBuffer, Split, SplitOptions, Splitter};

const RECORDS: usize = 20_000;

/// Fields that activities and common rules ask for.
const WANTED: &[&str] = &[
    "awsRegion",
    "errorCode",
    "errorMessage",
    "eventCategory",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "managementEvent",
    "readOnly",
    "recipientAccountId",
    "requestParameters.bucketName",
    "requestParameters.key",
    "requestParameters.policyArn",
    "requestParameters.roleName",
    "requestParameters.userName",
    "resources.ARN",
    "responseElements.ConsoleLogin",
    "responseElements.credentials.accessKeyId",
    "sourceIPAddress",
    "userAgent",
    "userIdentity.accessKeyId",
    "userIdentity.accountId",
    "userIdentity.arn",
    "userIdentity.invokedBy",
    "userIdentity.sessionContext.attributes.creationDate",
    "userIdentity.sessionContext.attributes.mfaAuthenticated",
    "userIdentity.sessionContext.sessionIssuer.arn",
    "userIdentity.type",
    "vpcEndpointId",
];

fn record(number: usize) -> String {
    format!(
        r#"{{"eventVersion":"1.09","userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLE{number}:worker","arn":"arn:aws:sts::111122223333:assumed-role/prod-app-api/i-0{number:016x}","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE{number:09}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/prod-app-api","accountId":"111122223333","userName":"prod-app-api"}},"webIdFederationData":{{}},"attributes":{{"creationDate":"2026-07-24T10:12:44Z","mfaAuthenticated":"false"}},"ec2RoleDelivery":"2.0"}}}},"eventTime":"2026-07-24T11:02:09Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","sourceIPAddress":"10.0.{}.{}","userAgent":"[aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5 md/GOARCH#amd64 md/GOOS#linux exec-env/AWS_ECS_FARGATE api/s3#1.58.2]","requestParameters":{{"bucketName":"acme-data","Host":"acme-data.s3.eu-west-1.amazonaws.com","key":"year=2026/month=07/part-{number:08x}.snappy.parquet"}},"responseElements":null,"additionalEventData":{{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"dNg98Ncsm0R/PygSHq0b0Qiyx2TDUq9jgC9wSxasWFiQ","bytesTransferredOut":{number}}},"requestID":"8RJVMXE0{number:08}","eventID":"8e6ffb2a-af42-47e6-9da9-{number:012x}","readOnly":true,"resources":[{{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::acme-data/year=2026/month=07/part-{number:08x}.snappy.parquet"}},{{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::acme-data"}}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"acme-data.s3.eu-west-1.amazonaws.com"}}}}"#,
        number % 250,
        number % 199,
    )
}

fn options() -> SplitOptions {
    let envelopes = [
        "Records",
        "Events",
        "events",
        "logEvents",
        "QueryResultRows",
        "hits.hits",
    ];
    SplitOptions {
        envelopes: envelopes.map(str::to_owned).to_vec(),
        ..SplitOptions::default()
    }
}

fn count(bytes: &[u8]) -> u64 {
    let mut splitter = Splitter::new(bytes, options());
    let mut records = 0;
    while let Some(split) = splitter.next() {
        if let Split::Record(_) = split {
            records += 1;
        }
    }
    assert_eq!(records, RECORDS as u64);
    records
}

fn benchmarks(criterion: &mut Criterion) {
    let records: Vec<String> = (0..RECORDS).map(record).collect();
    let lines = records.join("\n") + "\n";
    let envelope = format!("{{\"Records\":[{}]}}", records.join(","));

    let mut group = criterion.benchmark_group("record");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(lines.len() as u64));
    group.bench_function("split lines", |bencher| {
        bencher.iter(|| count(lines.as_bytes()))
    });
    group.bench_function("split envelope", |bencher| {
        bencher.iter(|| count(envelope.as_bytes()))
    });

    let mut fields = Fields::default();
    let wanted: Vec<_> = WANTED.iter().map(|path| fields.intern(path)).collect();
    let extractor = Extractor::new(&fields);
    group.bench_function("split lines and extract", |bencher| {
        bencher.iter(|| {
            let mut splitter = Splitter::new(lines.as_bytes(), options());
            let mut buffer = SlotBuffer::new();
            let mut values = 0;
            while let Some(split) = splitter.next() {
                if let Split::Record(record) = split
                    && let Ok(slots) = extractor.extract(record.bytes, &mut buffer)
                {
                    values += wanted
                        .iter()
                        .map(|field| slots.values(*field).len())
                        .sum::<usize>();
                }
            }
            values
        });
    });
    group.finish();
}

#[allow(missing_docs)]
mod groups {
    use super::benchmarks;

    criterion::criterion_group!(split, benchmarks);
}
criterion_main!(groups::split);
