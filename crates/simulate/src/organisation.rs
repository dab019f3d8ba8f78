use std::rc::Rc;

use crate::dice::Seeds;
use crate::people::{Person, Team, people};

/// An account of the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Account {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
}

pub(crate) const MANAGEMENT: Account = Account {
    id: "123456789012",
    name: "management",
};
pub(crate) const WEB: Account = Account {
    id: "111122223333",
    name: "prod-web",
};
pub(crate) const SIGN: Account = Account {
    id: "444455556666",
    name: "prod-sign",
};
pub(crate) const DEV: Account = Account {
    id: "777788889999",
    name: "dev",
};
pub(crate) const ACCOUNTS: [Account; 4] = [MANAGEMENT, WEB, SIGN, DEV];
/// The posture vendor's account.
pub(crate) const VENDOR: &str = "555555555555";

/// The region in which nearly everything is.
pub(crate) const HOME_REGION: &str = "eu-west-1";
/// The region of the global services' records.
pub(crate) const GLOBAL_REGION: &str = "us-east-1";
/// All regions that records may be of: the two that the organisation uses, and those that it does
/// not and has not switched off.
pub(crate) const REGIONS: [&str; 8] = [
    HOME_REGION,
    GLOBAL_REGION,
    "us-east-2",
    "us-west-2",
    "eu-central-1",
    "eu-north-1",
    "ap-southeast-1",
    "ap-northeast-1",
];

/// A permission set: its name, its sessions' length in hours, and who gets it where.
pub(crate) struct PermissionSet {
    pub(crate) name: &'static str,
    pub(crate) hours: i64,
    pub(crate) grants: &'static [(Account, &'static [Team])],
}

/// The permission sets, the most used first for each team.
pub(crate) const PERMISSION_SETS: &[PermissionSet] = &[
    PermissionSet {
        name: "WebDeploy",
        hours: 12,
        grants: &[(WEB, &[Team::Web])],
    },
    PermissionSet {
        name: "PlatformEngineer",
        hours: 12,
        grants: &[(WEB, &[Team::Platform]), (DEV, &[Team::Platform])],
    },
    PermissionSet {
        name: "Developer",
        hours: 12,
        grants: &[(DEV, &[Team::Web, Team::Backend, Team::Wallet, Team::Data])],
    },
    PermissionSet {
        name: "ProdReadOnly",
        hours: 8,
        grants: &[(WEB, &[Team::Backend, Team::Data, Team::Wallet])],
    },
    PermissionSet {
        name: "SignerOperator",
        hours: 4,
        grants: &[(SIGN, &[Team::Wallet])],
    },
    PermissionSet {
        name: "SecurityAudit",
        hours: 8,
        grants: &[
            (WEB, &[Team::Security]),
            (SIGN, &[Team::Security]),
            (DEV, &[Team::Security]),
            (MANAGEMENT, &[Team::Security]),
        ],
    },
    PermissionSet {
        name: "Billing",
        hours: 4,
        grants: &[(MANAGEMENT, &[Team::Finance])],
    },
    PermissionSet {
        name: "AdministratorAccess",
        hours: 1,
        grants: &[(MANAGEMENT, &[Team::Platform])],
    },
];

/// How many of the web team may deploy by hand.
pub(crate) const WEB_DEPLOYERS: usize = 5;

/// A role as logs and inventory name it.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) account: Account,
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) arn: String,
}

/// The fictional organisation: who is in it and what its landmarks are called.
pub(crate) struct Organisation {
    pub(crate) seeds: Seeds,
    pub(crate) id: String,
    pub(crate) root: String,
    pub(crate) identity_store: String,
    pub(crate) instance_arn: String,
    pub(crate) people: Vec<Rc<Person>>,
    /// Those with access to AWS.
    pub(crate) engineers: Vec<Rc<Person>>,
    /// The developer who signs in on every working day, early.
    pub(crate) early_bird: Rc<Person>,
    pub(crate) web_bucket: String,
    pub(crate) log_bucket: String,
    pub(crate) distribution: String,
    pub(crate) signing_key: String,
    pub(crate) web_bundle: String,
    /// Instances of the production cluster.
    pub(crate) nodes: Vec<String>,
    /// The instance that signs.
    pub(crate) signer_instance: String,
    /// Name without suffix, ARN, whether it is tagged as a wallet's.
    pub(crate) secrets: Vec<(&'static str, String, bool)>,
}

/// The secrets of the production account.
const SECRETS: [&str; 22] = [
    "halyard/api/database",
    "halyard/api/session-salt",
    "halyard/ledger/database",
    "halyard/quotes/feed-token",
    "halyard/rates/provider",
    "halyard/risk/database",
    "halyard/kyc/vendor",
    "halyard/notify/smtp",
    "halyard/notify/push",
    "halyard/search/index",
    "halyard/reports/warehouse",
    "halyard/batch/queue",
    "halyard/payments/partner",
    "halyard/payments/webhook",
    "halyard/edge/session-cookie",
    "halyard/edge/captcha",
    "halyard/metrics/remote-write",
    "halyard/support/desk",
    "halyard/audit/export",
    "halyard/wallet/hot-relayer",
    "halyard/wallet/fee-payer",
    "halyard/wallet/gas-tank",
];

impl Organisation {
    pub(crate) fn new(seeds: Seeds) -> Self {
        let mut dice = seeds.stream("organisation", 0);
        let mut all = Vec::new();
        let mut engineers = Vec::new();
        for (person, has_access) in people(seeds) {
            let person = Rc::new(person);
            if has_access {
                engineers.push(Rc::clone(&person));
            }
            all.push(person);
        }
        let mut early_bird = (*all[dice.below(WEB_DEPLOYERS as u64) as usize]).clone();
        early_bird.begins = 6 * 3600 + 58 * 60;
        early_bird.ends = 16 * 3600;
        let early_bird = Rc::new(early_bird);
        for list in [&mut all, &mut engineers] {
            list[early_bird.number] = Rc::clone(&early_bird);
        }
        let suffix = dice.hex(6);
        let nodes = (0..6).map(|_| format!("i-0{}", dice.hex(16))).collect();
        let secrets = SECRETS
            .iter()
            .map(|name| {
                let arn = format!(
                    "arn:aws:secretsmanager:{HOME_REGION}:{}:secret:{name}-{}",
                    WEB.id,
                    dice.alphanumeric(6)
                );
                (*name, arn, name.contains("/wallet/"))
            })
            .collect();
        Self {
            seeds,
            id: format!("o-{}", dice.hex(10)),
            root: format!("r-{}", dice.hex(4)),
            identity_store: format!("d-{}", dice.hex(10)),
            instance_arn: format!("arn:aws:sso:::instance/ssoins-{}", dice.hex(16)),
            people: all,
            engineers,
            early_bird,
            web_bucket: format!("halyard-web-prod-{suffix}"),
            log_bucket: format!("halyard-org-trail-{suffix}"),
            distribution: format!("E{}", dice.base32(13)),
            signing_key: format!("arn:aws:kms:{HOME_REGION}:{}:key/{}", SIGN.id, dice.uuid()),
            web_bundle: format!("_next/static/chunks/pages/_app-{}.js", dice.hex(16)),
            nodes,
            signer_instance: format!("i-0{}", seeds.stream("signer instance", 0).hex(16)),
            secrets,
        }
    }

    /// A role by account, path (`/` at both ends) and name.
    pub(crate) fn role_at(&self, account: Account, path: &str, name: &str) -> Role {
        let id = self
            .seeds
            .stream(&format!("role {} {name}", account.id), 0)
            .base32(17);
        Role {
            account,
            name: name.to_owned(),
            id: format!("AROA{id}"),
            arn: format!("arn:aws:iam::{}:role{path}{name}", account.id),
        }
    }

    /// A role without a path.
    pub(crate) fn role(&self, account: Account, name: &str) -> Role {
        self.role_at(account, "/", name)
    }

    /// The role that Identity Center made of a permission set in an account.
    pub(crate) fn reserved_role(&self, account: Account, set: &str) -> Role {
        let suffix = self
            .seeds
            .stream(&format!("reserved {} {set}", account.id), 0)
            .hex(16);
        self.role_at(
            account,
            &format!("/aws-reserved/sso.amazonaws.com/{HOME_REGION}/"),
            &format!("AWSReservedSSO_{set}_{suffix}"),
        )
    }

    /// The role that a service has in an account by itself.
    pub(crate) fn service_role(&self, account: Account, service: &str, name: &str) -> Role {
        self.role_at(account, &format!("/aws-service-role/{service}/"), name)
    }

    /// The permission sets of a person, with their accounts.
    pub(crate) fn grants(&self, person: &Person) -> Vec<(Account, &'static PermissionSet)> {
        if !self
            .engineers
            .iter()
            .any(|engineer| engineer.number == person.number)
        {
            return Vec::new();
        }
        let mut grants = Vec::new();
        for set in PERMISSION_SETS {
            if set.name == "WebDeploy" && person.number >= WEB_DEPLOYERS {
                continue;
            }
            if set.name == "AdministratorAccess" && !person.number.is_multiple_of(3) {
                continue;
            }
            for (account, teams) in set.grants {
                if teams.contains(&person.team) {
                    grants.push((*account, set));
                }
            }
        }
        grants
    }

    /// The secret with this name.
    pub(crate) fn secret(&self, name: &str) -> &str {
        self.secrets
            .iter()
            .find(|(known, ..)| *known == name)
            .map_or("", |(_, arn, _)| arn)
    }
}
