//! Users, roles, groups, and their policies, keys and memberships.

use serde_json::{Value, json};

use super::{Edit, Errand, Step, escaped, named, one, push, remove, text};
use crate::call::Call;
use crate::estate::Inventory;
use crate::organisation::{Account, WEB};
use crate::time;

/// Lists of the export: the list, the member that names, the list of inline policies, the word in
/// operations, the request parameter.
const KINDS: [Kind; 3] = [
    Kind {
        list: "RoleDetailList",
        name: "RoleName",
        inline: "RolePolicyList",
        word: "Role",
        parameter: "roleName",
    },
    Kind {
        list: "UserDetailList",
        name: "UserName",
        inline: "UserPolicyList",
        word: "User",
        parameter: "userName",
    },
    Kind {
        list: "GroupDetailList",
        name: "GroupName",
        inline: "GroupPolicyList",
        word: "Group",
        parameter: "groupName",
    },
];

#[derive(Clone, Copy)]
struct Kind {
    list: &'static str,
    name: &'static str,
    inline: &'static str,
    word: &'static str,
    parameter: &'static str,
}

const ROLE: Kind = KINDS[0];
const USER: Kind = KINDS[1];
const GROUP: Kind = KINDS[2];

/// Somebody whom an errand is about.
struct Somebody {
    account: Account,
    kind: Kind,
    name: String,
    value: Value,
}

impl Somebody {
    fn request(&self, more: Value) -> Value {
        let mut request = json!({self.kind.parameter: self.name});
        if let (Some(request), Value::Object(more)) = (request.as_object_mut(), more) {
            request.extend(more);
        }
        request
    }

    fn call(&self, before: &str, after: &str, more: Value) -> Call {
        Call::named(&format!("iam:{before}{}{after}", self.kind.word)).request(self.request(more))
    }

    fn edit(&self, change: impl Fn(&mut Value) + 'static) -> Edit {
        edit(self.account, self.kind, self.name.clone(), change)
    }

    fn step(&self, after: i64, call: Call, change: impl Fn(&mut Value) + 'static) -> Step {
        Step {
            after,
            account: self.account,
            call,
            edit: self.edit(change),
        }
    }
}

fn edit(account: Account, kind: Kind, name: String, change: impl Fn(&mut Value) + 'static) -> Edit {
    Box::new(move |inventory: &mut Inventory| {
        let of = inventory.of_mut(account);
        if let Some(it) = of.and_then(|of| named(&mut of.identities[kind.list], kind.name, &name)) {
            change(it);
        }
    })
}

/// Roles that services and Identity Center keep for themselves are nobody's to change.
fn is_own(value: &Value) -> bool {
    !text(value, "Path").contains("aws-")
        && text(value, "RoleName") != "OrganizationAccountAccessRole"
}

impl Errand<'_> {
    fn somebody(&mut self, kinds: &[Kind]) -> Option<Somebody> {
        let account = self.account();
        let kind = self.dice.pick(kinds);
        let list = &self.inventory.of(account)?.identities[kind.list];
        let value = one(list, self.dice, is_own)?;
        Some(Somebody {
            account,
            kind,
            name: text(value, kind.name).to_owned(),
            value: value.clone(),
        })
    }

    /// An inline policy is put, put anew, or deleted.
    pub(super) fn inline_policy(&mut self) -> Option<Vec<Step>> {
        let who = self.somebody(&[ROLE, ROLE, ROLE, USER, GROUP])?;
        let inline = who.kind.inline;
        let held = one(&who.value[inline], self.dice, |_| true)
            .map(|it| text(it, "PolicyName").to_owned());
        if let Some(name) = held.clone().filter(|_| self.dice.permille(350)) {
            let call = who.call("Delete", "Policy", json!({"policyName": name}));
            return Some(vec![who.step(0, call, move |it| {
                remove(&mut it[inline], "PolicyName", &name);
            })]);
        }
        let name = held
            .filter(|_| self.dice.permille(500))
            .unwrap_or_else(|| format!("errand-{}", self.number));
        let body = self.document(who.account);
        let asked = json!({"policyName": name, "policyDocument": body.to_string()});
        let call = who.call("Put", "Policy", asked);
        Some(vec![who.step(0, call, move |it| {
            remove(&mut it[inline], "PolicyName", &name);
            push(
                &mut it[inline],
                json!({"PolicyName": name, "PolicyDocument": body}),
            );
        })])
    }

    fn customer_policy(&mut self, account: Account) -> Option<(String, String)> {
        let list = &self.inventory.of(account)?.identities["Policies"];
        let own = format!("arn:aws:iam::{}:", account.id);
        let policy = one(list, self.dice, |it| text(it, "Arn").starts_with(&own))?;
        Some((
            text(policy, "PolicyName").to_owned(),
            text(policy, "Arn").to_owned(),
        ))
    }

    /// A managed policy is attached or detached.
    pub(super) fn attachment(&mut self) -> Option<Vec<Step>> {
        let who = self.somebody(&[ROLE, ROLE, USER, GROUP])?;
        let held = one(&who.value["AttachedManagedPolicies"], self.dice, |_| true)
            .map(|it| text(it, "PolicyArn").to_owned());
        if let Some(arn) = held.filter(|_| self.dice.permille(500)) {
            let call = who.call("Detach", "Policy", json!({"policyArn": arn}));
            return Some(vec![who.step(0, call, move |it| {
                remove(&mut it["AttachedManagedPolicies"], "PolicyArn", &arn);
            })]);
        }
        let (name, arn) = self.customer_policy(who.account)?;
        let call = who.call("Attach", "Policy", json!({"policyArn": arn}));
        Some(vec![who.step(0, call, move |it| {
            remove(&mut it["AttachedManagedPolicies"], "PolicyArn", &arn);
            push(
                &mut it["AttachedManagedPolicies"],
                json!({"PolicyName": name, "PolicyArn": arn}),
            );
        })])
    }

    /// A managed policy is made, gets a new default version or its old one back, or is deleted.
    pub(super) fn managed_policy(&mut self) -> Option<Vec<Step>> {
        let account = self.account();
        let own = format!("arn:aws:iam::{}:policy/", account.id);
        let identities = &self.inventory.of(account)?.identities;
        let policy = one(&identities["Policies"], self.dice, |it| {
            text(it, "Arn").starts_with(&own)
        });
        let Some(policy) = policy.filter(|_| self.dice.permille(650)).cloned() else {
            return Some(vec![self.new_policy(account)]);
        };
        let arn = text(&policy, "Arn").to_owned();
        let whole = identities.to_string();
        // Nothing may be attached to it, as a policy or a boundary.
        let uses = whole.matches(&format!("\"{arn}\"")).count();
        let on_policy = |change: Box<dyn Fn(&mut Value)>| -> Edit {
            let arn = arn.clone();
            Box::new(move |inventory: &mut Inventory| {
                let of = inventory.of_mut(account);
                if let Some(it) =
                    of.and_then(|of| named(&mut of.identities["Policies"], "Arn", &arn))
                {
                    change(it);
                }
            })
        };
        let step = |call, edit| {
            Some(vec![Step {
                after: 0,
                account,
                call,
                edit,
            }])
        };
        if uses == 1 && self.dice.permille(300) {
            let gone = arn.clone();
            return step(
                Call::named("iam:DeletePolicy").request(json!({"policyArn": arn})),
                Box::new(move |inventory: &mut Inventory| {
                    if let Some(of) = inventory.of_mut(account) {
                        remove(&mut of.identities["Policies"], "Arn", &gone);
                    }
                }),
            );
        }
        let versions = policy["PolicyVersionList"].as_array()?;
        let default = text(&policy, "DefaultVersionId").to_owned();
        let other = versions.iter().find(|it| text(it, "VersionId") != default);
        let make_default = |it: &mut Value, version: &str| {
            it["DefaultVersionId"] = version.into();
            for known in it["PolicyVersionList"].as_array_mut().into_iter().flatten() {
                known["IsDefaultVersion"] = (text(known, "VersionId") == version).into();
            }
        };
        if let Some(other) = other.filter(|_| self.dice.permille(400)) {
            let version = text(other, "VersionId").to_owned();
            let request = json!({"policyArn": arn, "versionId": version});
            return step(
                Call::named("iam:SetDefaultPolicyVersion").request(request),
                on_policy(Box::new(move |it| make_default(it, &version))),
            );
        }
        if versions.len() >= 5 {
            return None;
        }
        let version = format!("v{}", versions.len() + 1);
        let body = self.document(account);
        let made = time::format(self.time, "%Y-%m-%dT%H:%M:%S+00:00");
        let call = Call::named("iam:CreatePolicyVersion")
            .request(json!({
                "policyArn": arn, "policyDocument": body.to_string(), "setAsDefault": true,
            }))
            .response(json!({"policyVersion": {
                "versionId": version, "isDefaultVersion": true, "createDate": time::spoken(self.time),
            }}));
        step(
            call,
            on_policy(Box::new(move |it| {
                push(
                    &mut it["PolicyVersionList"],
                    json!({"Document": body, "VersionId": version, "IsDefaultVersion": true, "CreateDate": made}),
                );
                make_default(it, &version);
            })),
        )
    }

    fn new_policy(&mut self, account: Account) -> Step {
        let name = format!("errand-{}", self.number);
        let arn = format!("arn:aws:iam::{}:policy/{name}", account.id);
        let id = format!("ANPA{}", self.dice.base32(17));
        let body = self.document(account);
        let made = time::format(self.time, "%Y-%m-%dT%H:%M:%S+00:00");
        let call = Call::named("iam:CreatePolicy")
            .request(json!({"policyName": name, "policyDocument": body.to_string()}))
            .response(json!({"policy": {
                "policyName": name, "policyId": id, "arn": arn, "path": "/", "defaultVersionId": "v1",
                "attachmentCount": 0, "permissionsBoundaryUsageCount": 0, "isAttachable": true,
                "createDate": time::spoken(self.time), "updateDate": time::spoken(self.time),
            }}));
        let value = json!({
            "PolicyName": name, "PolicyId": id, "Arn": arn, "Path": "/", "DefaultVersionId": "v1",
            "AttachmentCount": 0, "PermissionsBoundaryUsageCount": 0, "IsAttachable": true,
            "CreateDate": made, "UpdateDate": made,
            "PolicyVersionList": [{"Document": body, "VersionId": "v1", "IsDefaultVersion": true, "CreateDate": made}],
        });
        Step {
            after: 0,
            account,
            call,
            edit: Box::new(move |inventory: &mut Inventory| {
                if let Some(of) = inventory.of_mut(account) {
                    push(&mut of.identities["Policies"], value.clone());
                }
            }),
        }
    }

    fn trust_document(&mut self, account: Account) -> Value {
        let root = |account: Account| json!({"AWS": format!("arn:aws:iam::{}:root", account.id)});
        let principal = match self.dice.below(3) {
            0 => json!({"Service": "lambda.amazonaws.com"}),
            1 => root(account),
            _ => root(WEB),
        };
        crate::estate::iam::document(vec![
            json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}),
        ])
    }

    /// A role is made with a policy, at times under a name that was used before.
    pub(super) fn new_role(&mut self) -> Option<Vec<Step>> {
        let account = self.account();
        // Few names, so that some come again.
        let name = format!("errand-role-{}", self.dice.below(12));
        let list = &self.inventory.of(account)?.identities["RoleDetailList"];
        if list
            .as_array()?
            .iter()
            .any(|it| text(it, "RoleName") == name)
        {
            return None;
        }
        let path = if self.dice.permille(300) {
            "/team/"
        } else {
            "/"
        };
        let arn = format!("arn:aws:iam::{}:role{path}{name}", account.id);
        let id = format!("AROA{}", self.dice.base32(17));
        let trust = self.trust_document(account);
        let mut asked = json!({"roleName": name, "assumeRolePolicyDocument": trust.to_string()});
        if path != "/" {
            asked["path"] = path.into();
        }
        let call = Call::named("iam:CreateRole").request(asked).response(json!({"role": {
            "path": path, "roleName": name, "roleId": id, "arn": arn,
            "createDate": time::spoken(self.time), "assumeRolePolicyDocument": escaped(&trust.to_string()),
        }}));
        let value = json!({
            "Path": path, "RoleName": name, "RoleId": id, "Arn": arn,
            "CreateDate": time::format(self.time, "%Y-%m-%dT%H:%M:%S+00:00"),
            "AssumeRolePolicyDocument": trust, "InstanceProfileList": [], "RolePolicyList": [],
            "AttachedManagedPolicies": [], "Tags": [], "RoleLastUsed": {},
        });
        let made = Step {
            after: 0,
            account,
            call,
            edit: Box::new(move |inventory: &mut Inventory| {
                if let Some(of) = inventory.of_mut(account) {
                    push(&mut of.identities["RoleDetailList"], value.clone());
                }
            }),
        };
        let who = Somebody {
            account,
            kind: ROLE,
            name,
            value: Value::Null,
        };
        let body = self.document(account);
        let asked = json!({"policyName": "own", "policyDocument": body.to_string()});
        // A program makes both calls within a second.
        let after = self.dice.between(0, 3);
        let put = who.step(after, who.call("Put", "Policy", asked), move |it| {
            push(
                &mut it["RolePolicyList"],
                json!({"PolicyName": "own", "PolicyDocument": body}),
            );
        });
        Some(vec![made, put])
    }

    /// A role that was made by such an errand is deleted, its policies first.
    pub(super) fn old_role(&mut self) -> Option<Vec<Step>> {
        let account = self.account();
        let list = &self.inventory.of(account)?.identities["RoleDetailList"];
        let role = one(list, self.dice, |it| {
            text(it, "RoleName").starts_with("errand-role-")
        })?
        .clone();
        let who = Somebody {
            account,
            kind: ROLE,
            name: text(&role, "RoleName").to_owned(),
            value: role,
        };
        Some(self.deletion(&who))
    }

    fn deletion(&mut self, who: &Somebody) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut after = 0;
        let mut next = |dice: &mut crate::dice::Dice| {
            let now = after;
            after += dice.between(0, 2);
            now
        };
        let inline = who.kind.inline;
        for policy in who.value[inline].as_array().into_iter().flatten() {
            let name = text(policy, "PolicyName").to_owned();
            let call = who.call("Delete", "Policy", json!({"policyName": name}));
            let at = next(self.dice);
            steps.push(who.step(at, call, move |it| {
                remove(&mut it[inline], "PolicyName", &name)
            }));
        }
        for policy in who.value["AttachedManagedPolicies"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let arn = text(policy, "PolicyArn").to_owned();
            let call = who.call("Detach", "Policy", json!({"policyArn": arn}));
            let at = next(self.dice);
            steps.push(who.step(at, call, move |it| {
                remove(&mut it["AttachedManagedPolicies"], "PolicyArn", &arn);
            }));
        }
        let (account, kind, name) = (who.account, who.kind, who.name.clone());
        let at = next(self.dice);
        steps.push(Step {
            after: at,
            account,
            call: who.call("Delete", "", json!({})),
            edit: Box::new(move |inventory: &mut Inventory| {
                if let Some(of) = inventory.of_mut(account) {
                    remove(&mut of.identities[kind.list], kind.name, &name);
                    if kind.word == "User" {
                        let begins = format!("{name},");
                        let kept = of.report.lines().filter(|row| !row.starts_with(&begins));
                        of.report = kept.map(|row| format!("{row}\n")).collect();
                    }
                }
            }),
        });
        steps
    }

    /// A role trusts somebody else.
    pub(super) fn trust(&mut self) -> Option<Vec<Step>> {
        let who = self.somebody(&[ROLE])?;
        if who.name.starts_with("gha-")
            || !who.name.starts_with("errand-") && self.dice.permille(600)
        {
            return None;
        }
        let trust = self.trust_document(who.account);
        let call = Call::named("iam:UpdateAssumeRolePolicy")
            .request(who.request(json!({"policyDocument": trust.to_string()})));
        Some(vec![who.step(0, call, move |it| {
            it["AssumeRolePolicyDocument"] = trust.clone();
        })])
    }

    /// A permissions boundary is put or taken off.
    pub(super) fn boundary(&mut self) -> Option<Vec<Step>> {
        let who = self.somebody(&[ROLE, USER])?;
        if who.value.get("PermissionsBoundary").is_some() {
            let call = who.call("Delete", "PermissionsBoundary", json!({}));
            return Some(vec![who.step(0, call, |it| {
                if let Some(it) = it.as_object_mut() {
                    it.remove("PermissionsBoundary");
                }
            })]);
        }
        let (_, arn) = self.customer_policy(who.account)?;
        let call = who.call(
            "Put",
            "PermissionsBoundary",
            json!({"permissionsBoundary": arn}),
        );
        Some(vec![who.step(0, call, move |it| {
            it["PermissionsBoundary"] =
                json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn});
        })])
    }

    /// A user is made, or one of those that were is deleted.
    pub(super) fn user(&mut self) -> Option<Vec<Step>> {
        let account = self.account();
        let list = &self.inventory.of(account)?.identities["UserDetailList"];
        let old = one(list, self.dice, |it| {
            text(it, "UserName").starts_with("errand-user-")
                && it["GroupList"].as_array().is_some_and(Vec::is_empty)
        });
        if let Some(old) = old.filter(|_| self.dice.permille(400)).cloned() {
            let name = text(&old, "UserName").to_owned();
            let keys = &self.inventory.of(account)?.resources["AccessKeyMetadata"];
            let held = keys
                .as_array()?
                .iter()
                .any(|key| text(key, "UserName") == name);
            if held {
                return None;
            }
            let who = Somebody {
                account,
                kind: USER,
                name,
                value: old,
            };
            return Some(self.deletion(&who));
        }
        let name = format!("errand-user-{}", self.number);
        let arn = format!("arn:aws:iam::{}:user/{name}", account.id);
        let id = format!("AIDA{}", self.dice.base32(17));
        let made = time::format(self.time, "%Y-%m-%dT%H:%M:%S+00:00");
        let call = Call::named("iam:CreateUser")
            .request(json!({"userName": name, "tags": [{"key": "team", "value": "web"}]}))
            .response(json!({"user": {
                "path": "/", "userName": name, "userId": id, "arn": arn, "createDate": time::spoken(self.time),
                "tags": [{"key": "team", "value": "web"}],
            }}));
        let row = format!(
            "{name},{arn},{made},false,N/A,N/A,N/A,false,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n"
        );
        let value = json!({
            "Path": "/", "UserName": name, "UserId": id, "Arn": arn, "CreateDate": made,
            "UserPolicyList": [], "GroupList": [], "AttachedManagedPolicies": [],
            "Tags": [{"Key": "team", "Value": "web"}],
        });
        Some(vec![Step {
            after: 0,
            account,
            call,
            edit: Box::new(move |inventory: &mut Inventory| {
                if let Some(of) = inventory.of_mut(account) {
                    push(&mut of.identities["UserDetailList"], value.clone());
                    of.report.push_str(&row);
                }
            }),
        }])
    }

    /// A user joins or leaves a group.
    pub(super) fn membership(&mut self) -> Option<Vec<Step>> {
        let who = self.somebody(&[USER])?;
        let groups = &self.inventory.of(who.account)?.identities["GroupDetailList"];
        let group = text(one(groups, self.dice, |_| true)?, "GroupName").to_owned();
        let held = who.value["GroupList"]
            .as_array()?
            .iter()
            .any(|it| *it == group.as_str());
        let asked = who.request(json!({"groupName": group}));
        let name = if held {
            "iam:RemoveUserFromGroup"
        } else {
            "iam:AddUserToGroup"
        };
        Some(vec![who.step(
            0,
            Call::named(name).request(asked),
            move |it| {
                if let Some(list) = it["GroupList"].as_array_mut() {
                    list.retain(|known| *known != group.as_str());
                    if !held {
                        list.push(group.clone().into());
                    }
                }
            },
        )])
    }

    /// A key is made, switched off or on, or deleted.
    pub(super) fn key(&mut self) -> Option<Vec<Step>> {
        let who = self.somebody(&[USER])?;
        let (account, user) = (who.account, who.name.clone());
        let keys = &self.inventory.of(account)?.resources["AccessKeyMetadata"];
        let own = one(keys, self.dice, |it| {
            text(it, "UserName") == user && text(it, "AccessKeyId").contains("ERRAND")
        });
        let on_keys = |change: Box<dyn Fn(&mut Value)>| -> Edit {
            Box::new(move |inventory: &mut Inventory| {
                if let Some(of) = inventory.of_mut(account) {
                    change(&mut of.resources["AccessKeyMetadata"]);
                }
            })
        };
        let step = |call, edit| {
            Some(vec![Step {
                after: 0,
                account,
                call,
                edit,
            }])
        };
        let Some(own) = own else {
            let id = format!("AKIAERRAND{}", self.dice.base32(10));
            let call = Call::named("iam:CreateAccessKey").request(json!({"userName": user})).response(
                json!({"accessKey": {
                    "userName": user, "accessKeyId": id, "status": "Active", "createDate": time::spoken(self.time),
                }}),
            );
            let value = json!({
                "UserName": user, "AccessKeyId": id, "Status": "Active",
                "CreateDate": time::format(self.time, "%Y-%m-%dT%H:%M:%S+00:00"),
            });
            return step(
                call,
                on_keys(Box::new(move |keys| push(keys, value.clone()))),
            );
        };
        let id = text(own, "AccessKeyId").to_owned();
        if self.dice.permille(500) {
            let call = Call::named("iam:DeleteAccessKey")
                .request(json!({"userName": user, "accessKeyId": id}));
            return step(
                call,
                on_keys(Box::new(move |keys| remove(keys, "AccessKeyId", &id))),
            );
        }
        let status = if text(own, "Status") == "Active" {
            "Inactive"
        } else {
            "Active"
        };
        let call = Call::named("iam:UpdateAccessKey")
            .request(json!({"userName": user, "accessKeyId": id, "status": status}));
        step(
            call,
            on_keys(Box::new(move |keys| {
                if let Some(key) = named(keys, "AccessKeyId", &id) {
                    key["Status"] = status.into();
                }
            })),
        )
    }

    /// A tag is set or taken off, which conditions of policies refer to.
    pub(super) fn tags(&mut self) -> Option<Vec<Step>> {
        let who = self.somebody(&[ROLE, USER])?;
        let held = who.value["Tags"]
            .as_array()?
            .iter()
            .any(|it| text(it, "Key") == "team");
        if held && self.dice.permille(500) {
            let call = who.call("Untag", "", json!({"tagKeys": ["team"]}));
            return Some(vec![
                who.step(0, call, |it| remove(&mut it["Tags"], "Key", "team")),
            ]);
        }
        let value = self.dice.pick(&["web", "data"]);
        let call = who.call(
            "Tag",
            "",
            json!({"tags": [{"key": "team", "value": value}]}),
        );
        Some(vec![who.step(0, call, move |it| {
            remove(&mut it["Tags"], "Key", "team");
            push(&mut it["Tags"], json!({"Key": "team", "Value": value}));
        })])
    }
}
