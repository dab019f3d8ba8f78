//! Doors that policies and settings of resources open to anyone, and what shuts them.

use portreeve_graph::Graph;
use portreeve_model::{Entity, EntityKind, Estate, PolicyLayer, Relation};
use serde_json::json;

/// The reasons of the doors to a resource that anyone may act on by its policy.
fn doors(id: &str, kind: EntityKind, actions: &[&str], attributes: &[(&str, &str)]) -> Vec<String> {
    let mut estate = Estate::default();
    estate.add(Entity::new(
        "arn:aws:iam::111122223333:user/u",
        EntityKind::User,
    ));
    let mut entity = Entity::new(id, kind);
    entity.account = Some("111122223333".to_owned());
    for (key, value) in attributes {
        entity
            .attributes
            .insert((*key).to_owned(), (*value).to_owned());
    }
    estate.add(entity);
    if !actions.is_empty() {
        let statement =
            json!({"Effect": "Allow", "Principal": "*", "Action": actions, "Resource": "*"});
        estate.relate(Relation::Policy {
            subject: id.into(),
            layer: PolicyLayer::Resource,
            name: "resource policy".to_owned(),
            document: json!({"Version": "2012-10-17", "Statement": [statement]})
                .to_string()
                .into(),
        });
    }
    estate.finish();
    let graph = Graph::build(&estate, &crate::common::catalogue(), &[]);
    let doors = graph.doors().iter().filter(|door| door.to.as_str() == id);
    doors
        .map(|door| {
            assert_eq!(door.id.as_str(), "*");
            format!("{}{}", door.reason, door.conditions.join(" "))
        })
        .collect()
}

#[test]
fn what_is_open_to_anyone_is_a_door() {
    for (id, kind, action, expected) in [
        (
            "arn:aws:s3:::b",
            EntityKind::Bucket,
            "s3:ListBucket",
            "anyone may list the bucket's objects",
        ),
        (
            "arn:aws:kms:us-east-1:111122223333:key/k",
            EntityKind::Key,
            "kms:Decrypt",
            "anyone may decrypt with the key",
        ),
        (
            "arn:aws:ecr:us-east-1:111122223333:repository/r",
            EntityKind::ImageRepository,
            "ecr:BatchGetImage",
            "anyone may pull the repository's images",
        ),
        (
            "arn:aws:sns:us-east-1:111122223333:t",
            EntityKind::Topic,
            "sns:Subscribe",
            "anyone may subscribe to the topic",
        ),
    ] {
        assert_eq!(doors(id, kind, &[action], &[]), [expected]);
        assert!(doors(id, kind, &["ec2:RunInstances"], &[]).is_empty());
    }
}

#[test]
fn a_bucket_that_restricts_public_policies_is_no_door() {
    let actions = ["s3:ListBucket", "s3:GetObject", "s3:PutObject"];
    let of = |flag| {
        doors(
            "arn:aws:s3:::b",
            EntityKind::Bucket,
            &actions,
            &[("RestrictPublicBuckets", flag)],
        )
    };
    assert!(of("true").is_empty());
    assert!(of("false").len() >= 3);
}

#[test]
fn a_function_with_an_unsigned_address_is_a_door() {
    let id = "arn:aws:lambda:us-east-1:111122223333:function:f";
    let of = |actions: &[&str], attributes: &[(&str, &str)]| {
        doors(id, EntityKind::Function, actions, attributes)
    };
    let none = ("FunctionUrlAuthType", "NONE");
    let signed = ("FunctionUrlAuthType", "AWS_IAM");
    let call = "anyone may call the function by its address";
    assert_eq!(of(&["lambda:InvokeFunctionUrl"], &[none]), [call]);
    assert!(of(&["lambda:InvokeFunctionUrl"], &[signed]).is_empty());
    // Without its policy it may be one; known to have none it is not.
    assert_eq!(
        of(&[], &[none]),
        [format!("{call}portreeve:ResourcePolicy")]
    );
    assert!(of(&[], &[none, ("Policy", "none")]).is_empty());
    assert!(of(&[], &[signed]).is_empty());
}

/// Security groups open a machine to anyone where it has a public address and a role to lose.
#[test]
fn a_machine_with_a_role_that_anyone_may_reach_is_a_door() {
    const MACHINE: &str = "arn:aws:ec2:eu-west-1:111122223333:instance/i-1";
    const ROLE: &str = "arn:aws:iam::111122223333:role/node";
    let doors = |address: &str, role: bool, region: &str, rules: &str| -> Vec<String> {
        let mut estate = Estate::default();
        let mut machine = Entity::new(MACHINE, EntityKind::Instance);
        let mut group = Entity::new(
            format!("arn:aws:ec2:{region}:111122223333:security-group/sg-1"),
            EntityKind::Other,
        );
        for (name, value) in [
            ("PublicIpAddress", address),
            ("SecurityGroups", "sg-0, sg-1"),
        ] {
            machine.attributes.insert(name.to_owned(), value.to_owned());
        }
        let rules = ("IpPermissions".to_owned(), rules.to_owned());
        group.attributes.extend([rules]);
        estate.add(machine);
        estate.add(group);
        estate.add(Entity::new(ROLE, EntityKind::Role));
        if role {
            estate.relate(Relation::RunsAs {
                workload: MACHINE.into(),
                principal: ROLE.into(),
            });
        }
        let graph = Graph::build(&estate, &crate::common::catalogue(), &[]);
        let doors = graph
            .doors()
            .iter()
            .filter(|door| door.to.as_str() == MACHINE);
        doors.map(|door| door.reason.clone()).collect()
    };
    let open = r#"[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]"#;
    let own = r#"[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "198.51.100.0/28"}]}]"#;
    assert_eq!(
        doors("192.0.2.7", true, "eu-west-1", open),
        ["anyone may reach port 22 of the machine"]
    );
    let none: [&str; 0] = [];
    assert_eq!(doors("", true, "eu-west-1", open), none);
    assert_eq!(doors("192.0.2.7", false, "eu-west-1", open), none);
    assert_eq!(doors("192.0.2.7", true, "us-east-1", open), none);
    assert_eq!(doors("192.0.2.7", true, "eu-west-1", own), none);
    assert_eq!(doors("192.0.2.7", true, "eu-west-1", "not rules"), none);
}

#[test]
fn what_a_bucket_s_list_gives_to_the_public_is_a_door() {
    let list = |group: &str, permission: &str| {
        json!([
            {"Grantee": {"Type": "CanonicalUser", "ID": "1"}, "Permission": "FULL_CONTROL"},
            {"Grantee": {"Type": "Group", "URI": format!("http://acs.amazonaws.com/groups/{group}")},
             "Permission": permission},
        ])
        .to_string()
    };
    let of = |list: &str, ignored: &str| {
        let attributes = [("Grants", list), ("IgnorePublicAcls", ignored)];
        doors("arn:aws:s3:::b", EntityKind::Bucket, &[], &attributes)
    };
    let open = list("global/AllUsers", "WRITE");
    assert_eq!(
        of(&open, "false"),
        ["anyone may write objects into the bucket, by its access control list"]
    );
    assert_eq!(
        of(&list("global/AuthenticatedUsers", "READ"), "false"),
        ["anyone with an AWS account may list the bucket's objects, by its access control list"]
    );
    assert!(of(&open, "true").is_empty());
    assert!(of(&list("s3/LogDelivery", "WRITE"), "false").is_empty());
    assert!(of("[{\"Grantee\": 1}, 2]", "false").is_empty());
}
