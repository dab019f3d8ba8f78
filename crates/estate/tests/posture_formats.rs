//! The formats that posture checks need, by small inputs in the shape of the AWS command line.

use portreeve_estate::{complete, read, recognise};
use portreeve_model::Estate;

/// Reads one export of a format, which must hold nothing unreadable.
fn estate(format: &str, members: &str) -> Estate {
    let text = format!(r#"{{"Account": "111122223333", "Region": "eu-west-1", {members}}}"#);
    let found = recognise(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
    assert_eq!(found.id(), format, "{text}");
    let mut estate = Estate::default();
    assert_eq!(read("file", text.as_bytes(), &mut estate), [], "{text}");
    complete(&mut estate);
    let account = estate.get("arn:aws:iam::111122223333:root").unwrap();
    assert_eq!(
        account
            .attributes
            .get(&format!("Inventory:{format}"))
            .map(String::as_str),
        Some("read")
    );
    estate
}

fn attribute<'e>(estate: &'e Estate, id: &str, name: &str) -> Option<&'e str> {
    let entity = estate.get(id).unwrap_or_else(|| panic!("{id}"));
    entity.attributes.get(name).map(String::as_str)
}

const ROOT: &str = "arn:aws:iam::111122223333:root";

#[test]
fn each_export_says_what_the_command_line_prints() {
    for (format, members, id, name, value) in [
        (
            "aws.trails",
            r#""trailList": [{"Name": "t", "TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t", "IsMultiRegionTrail": true}]"#,
            "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t",
            "IsMultiRegionTrail",
            "true",
        ),
        (
            "aws.trails",
            r#""TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t", "EventSelectors": [{"ReadWriteType": "All"}]"#,
            "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t",
            "EventSelectors",
            r#"[{"ReadWriteType":"All"}]"#,
        ),
        (
            "aws.detectors",
            r#""Detectors": [{"DetectorId": "d1", "Status": "ENABLED"}]"#,
            "arn:aws:guardduty:eu-west-1:111122223333:detector/d1",
            "Status",
            "ENABLED",
        ),
        (
            "aws.detectors",
            r#""DetectorIds": []"#,
            ROOT,
            "Inventory:aws.detectors:eu-west-1",
            "read",
        ),
        (
            "aws.config-recorders",
            r#""ConfigurationRecordersStatus": [{"name": "default", "recording": true}]"#,
            "arn:aws:config:eu-west-1:111122223333:config-recorder/default",
            "recording",
            "true",
        ),
        (
            "aws.password-policy",
            r#""PasswordPolicy": {"MinimumPasswordLength": 14}"#,
            ROOT,
            "MinimumPasswordLength",
            "14",
        ),
        (
            "aws.password-policy",
            r#""PasswordPolicy": null"#,
            ROOT,
            "PasswordPolicy",
            "none",
        ),
        (
            "aws.account-settings",
            r#""SummaryMap": {"AccountMFAEnabled": 1}"#,
            ROOT,
            "AccountMFAEnabled",
            "1",
        ),
        (
            "aws.account-settings",
            r#""AccountPublicAccessBlock": {"PublicAccessBlockConfiguration": {"BlockPublicAcls": true}}"#,
            ROOT,
            "BlockPublicAcls",
            "true",
        ),
        (
            "aws.account-settings",
            r#""EbsEncryptionByDefault": true"#,
            ROOT,
            "EbsEncryptionByDefault:eu-west-1",
            "true",
        ),
        (
            "aws.account-settings",
            r#""SessionPreferences": {"Content": "{\"inputs\": {\"cloudWatchLogGroupName\": \"sessions\"}}"}"#,
            ROOT,
            "SessionLog:eu-west-1",
            "sessions",
        ),
        (
            "aws.access-analyzers",
            r#""analyzers": [{"arn": "arn:aws:access-analyzer:eu-west-1:111122223333:analyzer/a", "status": "ACTIVE"}]"#,
            "arn:aws:access-analyzer:eu-west-1:111122223333:analyzer/a",
            "status",
            "ACTIVE",
        ),
        (
            "aws.networks",
            r#""SecurityGroups": [{"GroupId": "sg-1", "IpPermissions": []}]"#,
            "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1",
            "IpPermissions",
            "[]",
        ),
        (
            "aws.networks",
            r#""Vpcs": [{"VpcId": "vpc-1"}], "FlowLogs": []"#,
            ROOT,
            "Inventory:aws.networks.flow-logs:eu-west-1",
            "read",
        ),
        (
            "aws.volumes",
            r#""Snapshots": [{"SnapshotId": "snap-1", "CreateVolumePermissions": null}]"#,
            "arn:aws:ec2:eu-west-1:111122223333:snapshot/snap-1",
            "CreateVolumePermissions",
            "none",
        ),
        (
            "aws.databases",
            r#""DBInstances": [{"DBInstanceArn": "arn:aws:rds:eu-west-1:111122223333:db:pay", "StorageEncrypted": true}]"#,
            "arn:aws:rds:eu-west-1:111122223333:db:pay",
            "StorageEncrypted",
            "true",
        ),
        (
            "aws.file-systems",
            r#""FileSystems": [{"FileSystemArn": "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1", "Encrypted": false}]"#,
            "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1",
            "Encrypted",
            "false",
        ),
        (
            "aws.kubernetes-clusters",
            r#""cluster": {"arn": "arn:aws:eks:eu-west-1:111122223333:cluster/c", "resourcesVpcConfig": {"endpointPublicAccess": false}}"#,
            "arn:aws:eks:eu-west-1:111122223333:cluster/c",
            "resourcesVpcConfig.endpointPublicAccess",
            "false",
        ),
        (
            "aws.domains",
            r#""Domains": [{"DomainName": "example.com", "TransferLock": true}]"#,
            "arn:aws:route53domains::111122223333:domain/example.com",
            "TransferLock",
            "true",
        ),
        (
            "aws.server-certificates",
            r#""ServerCertificateMetadataList": [{"Arn": "arn:aws:iam::111122223333:server-certificate/c", "Expiration": "2027-01-01T00:00:00Z"}]"#,
            "arn:aws:iam::111122223333:server-certificate/c",
            "Expiration",
            "2027-01-01T00:00:00Z",
        ),
        (
            "aws.identity-providers",
            r#""trustAnchors": [{"trustAnchorArn": "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/a", "enabled": true}]"#,
            "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/a",
            "enabled",
            "true",
        ),
        (
            "aws.roles",
            r#""Roles": [{"RoleName": "r", "Arn": "arn:aws:iam::111122223333:role/r", "MaxSessionDuration": 3600}]"#,
            "arn:aws:iam::111122223333:role/r",
            "MaxSessionDuration",
            "3600",
        ),
    ] {
        let estate = estate(format, members);
        assert_eq!(attribute(&estate, id, name), Some(value), "{members}");
    }
}

#[test]
fn buckets_say_what_is_not_set_and_what_was_not_asked() {
    let all = estate(
        "aws.buckets",
        r#""Buckets": [{"Name": "set", "Versioning": {"Status": "Enabled", "MFADelete": "Enabled"},
            "Encryption": {"ServerSideEncryptionConfiguration": {"Rules": []}},
            "Logging": {"LoggingEnabled": {"TargetBucket": "l"}},
            "ObjectLock": {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE"}}}},
            "Acl": {"Grants": []}, "PublicAccessBlock": {}},
           {"Name": "unset", "Versioning": null, "Encryption": null, "Logging": {}, "ObjectLock": null,
            "PublicAccessBlock": null}, {"Name": "unasked"}]"#,
    );
    let names = [
        "Versioning",
        "MFADelete",
        "Encryption",
        "Logging",
        "ObjectLock",
        "Grants",
        "PublicAccessBlock",
    ];
    let of = |bucket: &str| names.map(|name| attribute(&all, bucket, name).map(str::to_owned));
    let some =
        |values: [&str; 7]| values.map(|value| (!value.is_empty()).then(|| value.to_owned()));
    assert_eq!(
        of("arn:aws:s3:::set"),
        some([
            "Enabled",
            "Enabled",
            "given",
            "given",
            "COMPLIANCE",
            "[]",
            "given"
        ])
    );
    assert_eq!(
        of("arn:aws:s3:::unset"),
        some(["none", "Disabled", "none", "none", "none", "", "none"])
    );
    assert_eq!(of("arn:aws:s3:::unasked"), some([""; 7]));
}

#[test]
fn origins_machines_and_addresses_say_how_they_are_open() {
    let all = estate(
        "aws.distributions",
        r#""DistributionList": {"Items": [{"ARN": "arn:aws:cloudfront::111122223333:distribution/E1", "Origins": {"Items": [
            {"DomainName": "a.s3.amazonaws.com", "OriginAccessControlId": "E9"},
            {"DomainName": "b.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}},
            {"DomainName": "api.example.com"}]}}]}"#,
    );
    let id = "arn:aws:cloudfront::111122223333:distribution/E1";
    assert_eq!(
        attribute(&all, id, "UnsignedOrigins"),
        Some("b.s3.amazonaws.com")
    );

    let all = estate(
        "aws.instances",
        r#""Instances": [{"InstanceId": "i-1", "IamInstanceProfile": null, "SecurityGroups": [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}]}]"#,
    );
    let id = "arn:aws:ec2:eu-west-1:111122223333:instance/i-1";
    assert_eq!(attribute(&all, id, "SecurityGroups"), Some("sg-1, sg-2"));
    assert_eq!(attribute(&all, id, "InstanceProfile"), Some("none"));

    for (configs, expected) in [
        (r#"[{"AuthType": "AWS_IAM"}, {"AuthType": "NONE"}]"#, "NONE"),
        (r#"[{"AuthType": "AWS_IAM"}]"#, "AWS_IAM"),
        ("[]", "none"),
    ] {
        let all = estate(
            "aws.functions",
            &format!(r#""Functions": [{{"FunctionName": "f", "FunctionUrlConfigs": {configs}}}]"#),
        );
        let id = "arn:aws:lambda:eu-west-1:111122223333:function:f";
        assert_eq!(attribute(&all, id, "FunctionUrlAuthType"), Some(expected));
    }
}
