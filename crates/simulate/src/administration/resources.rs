//! Policies of resources, and guard rails of the organisation.

use serde_json::{Value, json};

use super::{Errand, Step, named, one, push, remove, text};
use crate::call::Call;
use crate::estate::Inventory;
use crate::estate::iam::document;
use crate::organisation::{Account, DEV, HOME_REGION, MANAGEMENT, SIGN, VENDOR, WEB};

/// Where the export lists resources of a kind: the list, what names one, where its policy stands.
#[derive(Clone, Copy)]
struct Kind {
    list: &'static str,
    id: &'static str,
    policy: &'static str,
}

const BUCKET: Kind = Kind {
    list: "Buckets",
    id: "Name",
    policy: "Policy",
};
const SECRET: Kind = Kind {
    list: "SecretList",
    id: "ARN",
    policy: "ResourcePolicy",
};
const QUEUE: Kind = Kind {
    list: "Queues",
    id: "QueueArn",
    policy: "Policy",
};
const REPOSITORY: Kind = Kind {
    list: "repositories",
    id: "repositoryArn",
    policy: "policyText",
};
const FUNCTION: Kind = Kind {
    list: "Functions",
    id: "FunctionArn",
    policy: "Policy",
};

/// One resource.
struct Resource {
    account: Account,
    kind: Kind,
    id: String,
    value: Value,
}

impl Resource {
    fn step(&self, call: Call, policy: Option<String>) -> Step {
        let (account, kind, id) = (self.account, self.kind, self.id.clone());
        Step {
            after: 0,
            account,
            call,
            edit: Box::new(move |inventory: &mut Inventory| {
                let of = inventory.of_mut(account);
                if let Some(it) =
                    of.and_then(|of| named(&mut of.resources[kind.list], kind.id, &id))
                {
                    it[kind.policy] = policy.clone().map_or(Value::Null, Value::from);
                }
            }),
        }
    }

    fn policy(&self) -> Option<&str> {
        self.value[self.kind.policy].as_str()
    }
}

impl Errand<'_> {
    fn resource(&mut self, kind: Kind) -> Option<Resource> {
        let account = self.dice.pick(&[WEB, WEB, DEV, SIGN]);
        let list = &self.inventory.of(account)?.resources[kind.list];
        let value = one(list, self.dice, |_| true)?;
        Some(Resource {
            account,
            kind,
            id: text(value, kind.id).to_owned(),
            value: value.clone(),
        })
    }

    /// A statement that lets somebody in, or shuts somebody out.
    fn grant(&mut self, actions: &[&str], resource: &Value) -> Value {
        let account = self.account();
        let principal = self.dice.pick(&[account.id, WEB.id, VENDOR]);
        let effect = if self.dice.permille(250) {
            "Deny"
        } else {
            "Allow"
        };
        json!({
            "Sid": format!("errand{}", self.number), "Effect": effect,
            "Principal": {"AWS": format!("arn:aws:iam::{principal}:root")},
            "Action": self.dice.pick(actions), "Resource": resource,
        })
    }

    /// A resource's policy is put or deleted.
    pub(super) fn resource_policy(&mut self) -> Option<Vec<Step>> {
        match self.dice.below(5) {
            0 | 1 => self.bucket_policy(),
            2 => self.secret_policy(),
            3 => self.queue_policy(),
            _ => self.repository_policy(),
        }
    }

    fn bucket_policy(&mut self) -> Option<Vec<Step>> {
        let bucket = self.resource(BUCKET)?;
        let host = format!("{}.s3.{HOME_REGION}.amazonaws.com", bucket.id);
        if bucket.policy().is_some() && self.dice.permille(300) {
            let request = json!({"bucketName": bucket.id, "Host": host, "policy": ""});
            let call = Call::bucket("s3:DeleteBucketPolicy", &bucket.id)
                .request(request)
                .in_account(bucket.account);
            return Some(vec![bucket.step(call, None)]);
        }
        let objects = json!(format!("arn:aws:s3:::{}/*", bucket.id));
        let body = document(vec![
            self.grant(&["s3:GetObject", "s3:PutObject"], &objects),
        ]);
        let request = json!({
            "bucketName": bucket.id, "Host": host, "policy": "", "bucketPolicy": body,
        });
        let call = Call::bucket("s3:PutBucketPolicy", &bucket.id)
            .request(request)
            .in_account(bucket.account);
        Some(vec![bucket.step(call, Some(body.to_string()))])
    }

    fn secret_policy(&mut self) -> Option<Vec<Step>> {
        let secret = self.resource(SECRET)?;
        let name = text(&secret.value, "Name");
        if secret.policy().is_some() {
            let call = Call::named("secretsmanager:DeleteResourcePolicy")
                .request(json!({"secretId": name}))
                .response(json!({"arn": secret.id, "name": name}));
            return Some(vec![secret.step(call, None)]);
        }
        let body = document(vec![
            self.grant(&["secretsmanager:GetSecretValue"], &json!("*")),
        ]);
        let call = Call::named("secretsmanager:PutResourcePolicy")
            .request(json!({"secretId": name, "resourcePolicy": body.to_string()}))
            .response(json!({"arn": secret.id, "name": name}));
        Some(vec![secret.step(call, Some(body.to_string()))])
    }

    fn queue_policy(&mut self) -> Option<Vec<Step>> {
        let queue = self.resource(QUEUE)?;
        let name = queue.id.rsplit(':').next()?;
        let url = format!(
            "https://sqs.{HOME_REGION}.amazonaws.com/{}/{name}",
            queue.account.id
        );
        let policy = match queue.policy() {
            Some(_) => None,
            None => {
                let on = json!(queue.id);
                Some(document(vec![self.grant(&["sqs:SendMessage"], &on)]).to_string())
            }
        };
        let call = Call::named("sqs:SetQueueAttributes").request(json!({
            "queueUrl": url, "attributes": {"Policy": policy.clone().unwrap_or_default()},
        }));
        Some(vec![queue.step(call, policy)])
    }

    fn repository_policy(&mut self) -> Option<Vec<Step>> {
        let repository = self.resource(REPOSITORY)?;
        let name = text(&repository.value, "repositoryName").to_owned();
        let account = repository.account.id;
        if repository.policy().is_some() {
            let call = Call::repository("ecr:DeleteRepositoryPolicy", account, &name, json!({}));
            return Some(vec![repository.step(call, None)]);
        }
        // A repository's policy names no resource.
        let mut grant = self.grant(&["ecr:BatchGetImage"], &Value::Null);
        if let Some(grant) = grant.as_object_mut() {
            grant.remove("Resource");
        }
        let body = document(vec![grant]).to_string();
        let request = json!({"policyText": body, "force": false});
        let call = Call::repository("ecr:SetRepositoryPolicy", account, &name, request);
        Some(vec![repository.step(call, Some(body))])
    }

    /// A statement is added to a function's policy or taken out, or a key's policy is put anew.
    pub(super) fn statement(&mut self) -> Option<Vec<Step>> {
        if self.dice.permille(300) {
            return self.key_policy();
        }
        let function = self.resource(FUNCTION)?;
        let name = text(&function.value, "FunctionName").to_owned();
        let mut statements: Vec<Value> = match function.policy() {
            Some(policy) => serde_json::from_str::<Value>(policy)
                .ok()?
                .get("Statement")?
                .as_array()?
                .clone(),
            None => Vec::new(),
        };
        let removable = statements
            .iter()
            .position(|it| text(it, "Sid").starts_with("errand"));
        if let Some(place) = removable.filter(|_| self.dice.permille(600)) {
            let gone = statements.remove(place);
            let call = Call::named("lambda:RemovePermission20150331v2")
                .request(json!({"functionName": name, "statementId": text(&gone, "Sid")}));
            let rest = (!statements.is_empty()).then(|| document(statements).to_string());
            return Some(vec![function.step(call, rest)]);
        }
        let account = self.account();
        let sid = format!("errand{}", self.number);
        let statement = json!({
            "Sid": sid, "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{}:root", account.id)},
            "Action": "lambda:InvokeFunction", "Resource": function.id,
        });
        let call = Call::named("lambda:AddPermission20150331v2")
            .request(json!({
                "functionName": name, "statementId": sid, "action": "lambda:InvokeFunction",
                "principal": account.id,
            }))
            .response(json!({"statement": statement.to_string()}));
        statements.push(statement);
        Some(vec![
            function.step(call, Some(document(statements).to_string())),
        ])
    }

    fn key_policy(&mut self) -> Option<Vec<Step>> {
        let account = self.dice.pick(&[WEB, SIGN, DEV]);
        let list = &self.inventory.of(account)?.resources["Keys"];
        let key = one(list, self.dice, |_| true)?;
        let id = text(&key["KeyMetadata"], "KeyId").to_owned();
        let root = format!("arn:aws:iam::{}:root", account.id);
        let mut statements = vec![json!({
            "Sid": "Account", "Effect": "Allow", "Principal": {"AWS": root},
            "Action": ["kms:Describe*", "kms:Get*", "kms:PutKeyPolicy"], "Resource": "*",
        })];
        statements.push(self.grant(&["kms:Sign", "kms:Decrypt"], &json!("*")));
        let body = document(statements).to_string();
        let call = Call::named("kms:PutKeyPolicy")
            .request(json!({
                "keyId": id, "policyName": "default", "policy": body,
                "bypassPolicyLockoutSafetyCheck": false,
            }))
            .resources(json!([{
                "accountId": account.id, "type": "AWS::KMS::Key",
                "ARN": text(&key["KeyMetadata"], "Arn"),
            }]));
        Some(vec![Step {
            after: 0,
            account,
            call,
            edit: Box::new(move |inventory: &mut Inventory| {
                let keys = inventory
                    .of_mut(account)
                    .and_then(|of| of.resources["Keys"].as_array_mut());
                for key in keys.into_iter().flatten() {
                    if text(&key["KeyMetadata"], "KeyId") == id {
                        key["Policy"] = body.clone().into();
                    }
                }
            }),
        }])
    }

    /// A guard rail gets another text, or holds for a unit or no longer.
    pub(super) fn guard_rail(&mut self) -> Option<Vec<Step>> {
        let policies = &self.inventory.organization["Policies"];
        let own = |it: &Value| it["PolicySummary"]["AwsManaged"] == false;
        let policy = one(policies, self.dice, own)?;
        let id = text(&policy["PolicySummary"], "Id").to_owned();
        let on_policy = |change: Box<dyn Fn(&mut Value)>| -> super::Edit {
            let id = id.clone();
            Box::new(move |inventory: &mut Inventory| {
                let list = inventory.organization["Policies"].as_array_mut();
                for it in list.into_iter().flatten() {
                    if text(&it["PolicySummary"], "Id") == id {
                        change(it);
                    }
                }
            })
        };
        let account = MANAGEMENT;
        let step = |call, edit| {
            Some(vec![Step {
                after: 0,
                account,
                call,
                edit,
            }])
        };
        if self.dice.permille(400) {
            let action = self
                .dice
                .pick(&["s3:GetObject", "kms:Sign", "sqs:SendMessage"]);
            let body = document(vec![json!({
                "Sid": format!("errand{}", self.number), "Effect": "Deny",
                "Action": [action, "organizations:LeaveOrganization"], "Resource": "*",
            })])
            .to_string();
            let call = Call::named("organizations:UpdatePolicy")
                .request(json!({"policyId": id, "content": body}))
                .response(json!({"policy": {"policySummary": policy["PolicySummary"]
                    .as_object()
                    .map(|it| json!({"id": it["Id"], "arn": it["Arn"], "name": it["Name"]}))}}));
            return step(
                call,
                on_policy(Box::new(move |it| it["Content"] = body.clone().into())),
            );
        }
        let units = &self.inventory.organization["OrganizationalUnits"];
        let target = text(one(units, self.dice, |_| true)?, "Id").to_owned();
        let held = policy["Targets"]
            .as_array()?
            .iter()
            .any(|it| text(it, "TargetId") == target);
        let name = if held {
            "organizations:DetachPolicy"
        } else {
            "organizations:AttachPolicy"
        };
        let call = Call::named(name).request(json!({"policyId": id, "targetId": target}));
        step(
            call,
            on_policy(Box::new(move |it| {
                remove(&mut it["Targets"], "TargetId", &target);
                if !held {
                    push(
                        &mut it["Targets"],
                        json!({"TargetId": target, "Type": "ORGANIZATIONAL_UNIT"}),
                    );
                }
            })),
        )
    }
}
