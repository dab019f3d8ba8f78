//! Too many people administer an account.

use portreeve_model::{EntityId, EntityKind, Severity};

use crate::check::{Check, Limit, fails, passes};
use crate::verdicts::{A_PERSON, Judged};

pub(super) const CHECK: Check = Check {
    id: "aws.administrators",
    title: "Too many people administer an account",
    why: "Each of them is a master key; one phished session of any is enough.",
    remedy: "Keep administration to a few, assumed for the task and for minutes.",
    severity: Severity::High,
    posture: &["A15"],
    references: &["https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html"],
    needs: &["aws.account-authorization-details"],
    limits: &[Limit {
        name: "people",
        default: 3,
        meaning: "people and roles of people that may administer an account",
    }],
    judge: |scene, verdicts| {
        let most = scene.limit(CHECK.id, "people");
        let all: Vec<EntityId> = scene.graph.administrators();
        for account in scene.accounts() {
            if !scene.was_read(account, "aws.account-authorization-details") {
                continue;
            }
            let own = all
                .iter()
                .filter_map(|id| scene.estate.get(id.as_str()))
                .filter(|entity| entity.account == account.account)
                .filter(|entity| matches!(entity.kind, EntityKind::User | EntityKind::Role));
            let (mut people, mut unclear) = (Vec::<EntityId>::new(), 0);
            for entity in own {
                match scene.is_person(entity) {
                    Some(true) => people.push(entity.id.clone()),
                    None => unclear += 1,
                    Some(false) => {}
                }
            }
            let judged = match people.len() as i64 > most {
                true => Judged::fail(format!("{} people and roles of people", people.len())),
                false if people.len() as i64 + unclear > most => Judged::unknown(A_PERSON),
                false => Judged::pass(),
            };
            verdicts.of(account, judged.on(people));
        }
    },
    examples: &[
        fails(
            r#"[{"UserDetailList": [{"UserName": "a", "Arn": "arn:aws:iam::111122223333:user/a", "GroupList": ["all"]}, {"UserName": "b", "Arn": "arn:aws:iam::111122223333:user/b", "GroupList": ["all"]}, {"UserName": "c", "Arn": "arn:aws:iam::111122223333:user/c", "GroupList": ["all"]}, {"UserName": "d", "Arn": "arn:aws:iam::111122223333:user/d", "GroupList": ["all"]}], "GroupDetailList": [{"GroupName": "all", "Arn": "arn:aws:iam::111122223333:group/all", "GroupPolicyList": [{"PolicyName": "all", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}]}]}, {"Account": "111122223333", "VirtualMFADevices": [{"SerialNumber": "arn:aws:iam::111122223333:mfa/a", "User": {"Arn": "arn:aws:iam::111122223333:user/a"}}, {"SerialNumber": "arn:aws:iam::111122223333:mfa/b", "User": {"Arn": "arn:aws:iam::111122223333:user/b"}}, {"SerialNumber": "arn:aws:iam::111122223333:mfa/c", "User": {"Arn": "arn:aws:iam::111122223333:user/c"}}, {"SerialNumber": "arn:aws:iam::111122223333:mfa/d", "User": {"Arn": "arn:aws:iam::111122223333:user/d"}}]}]"#,
        ),
        passes(
            r#"{"UserDetailList": [{"UserName": "a", "Arn": "arn:aws:iam::111122223333:user/a", "UserPolicyList": []}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
