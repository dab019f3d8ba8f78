use std::rc::Rc;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::client::Client;
use crate::organisation::{MANAGEMENT, Organisation, Role};
use crate::people::Person;
use crate::time::iso;

/// Who makes calls, as records show it: the rendered `userIdentity` and what else follows from it.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) json: Box<RawValue>,
    /// How error messages name it.
    pub(crate) arn: String,
    /// Whether the console forwards its calls.
    pub(crate) console: bool,
    /// Whether it is a person in Identity Center's portal, before any role.
    pub(crate) portal: bool,
}

impl Identity {
    fn new(value: &Value, arn: &str) -> Rc<Self> {
        Rc::new(Self {
            json: raw(value),
            arn: arn.to_owned(),
            console: false,
            portal: false,
        })
    }

    /// A session of a role. `extra` is added to `userIdentity`.
    pub(crate) fn role_session(
        role: &Role,
        name: &str,
        key: &str,
        created: i64,
        extra: Extra<'_>,
    ) -> Rc<Self> {
        let arn = format!(
            "arn:aws:sts::{}:assumed-role/{}/{name}",
            role.account.id, role.name
        );
        let mut context = json!({
            "sessionIssuer": {
                "type": "Role", "principalId": role.id, "arn": role.arn,
                "accountId": role.account.id, "userName": role.name,
            },
            "attributes": {"creationDate": iso(created), "mfaAuthenticated": "false"},
        });
        let mut value = json!({
            "type": "AssumedRole", "principalId": format!("{}:{name}", role.id), "arn": arn,
            "accountId": role.account.id, "accessKeyId": key,
        });
        let mut console = false;
        match extra {
            Extra::None => {}
            Extra::Instance => context["ec2RoleDelivery"] = "2.0".into(),
            Extra::InvokedBy(service) => value["invokedBy"] = service.into(),
            Extra::WebIdentity(provider) => {
                context["webIdFederationData"] =
                    json!({"federatedProvider": provider, "attributes": {}});
            }
            Extra::Person {
                organisation,
                person,
                from_console,
            } => {
                value["onBehalfOf"] = on_behalf_of(organisation, person);
                console = from_console;
            }
        }
        value["sessionContext"] = context;
        let mut identity = Self::new(&value, &arn);
        if console && let Some(identity) = Rc::get_mut(&mut identity) {
            identity.console = true;
        }
        identity
    }

    /// An IAM user with a long-lived key.
    pub(crate) fn user(account: &str, name: &str, id: &str, key: &str) -> Rc<Self> {
        let arn = format!("arn:aws:iam::{account}:user/{name}");
        let value = json!({
            "type": "IAMUser", "principalId": id, "arn": arn, "accountId": account,
            "accessKeyId": key, "userName": name,
        });
        Self::new(&value, &arn)
    }

    /// An IAM user in the console. The sign-in itself shows no key.
    pub(crate) fn user_in_console(
        account: &str,
        name: &str,
        id: &str,
        session: Option<(&str, i64)>,
    ) -> Rc<Self> {
        let arn = format!("arn:aws:iam::{account}:user/{name}");
        let mut value = json!({
            "type": "IAMUser", "principalId": id, "arn": arn, "accountId": account, "userName": name,
        });
        if let Some((key, created)) = session {
            value["accessKeyId"] = key.into();
            value["sessionContext"] = json!({
                "attributes": {"creationDate": iso(created), "mfaAuthenticated": "true"},
            });
        }
        let mut identity = Self::new(&value, &arn);
        if session.is_some()
            && let Some(identity) = Rc::get_mut(&mut identity)
        {
            identity.console = true;
        }
        identity
    }

    /// A session that an IAM user's long-lived key and second factor gave.
    pub(crate) fn user_session(
        account: &str,
        name: &str,
        id: &str,
        key: &str,
        created: i64,
    ) -> Rc<Self> {
        let arn = format!("arn:aws:iam::{account}:user/{name}");
        let value = json!({
            "type": "IAMUser", "principalId": id, "arn": arn, "accountId": account,
            "accessKeyId": key, "userName": name,
            "sessionContext": {
                "attributes": {"creationDate": iso(created), "mfaAuthenticated": "true"},
            },
        });
        Self::new(&value, &arn)
    }

    /// A role that a person switched to in the console.
    pub(crate) fn switched(role: &Role, name: &str, key: &str, created: i64) -> Rc<Self> {
        let mut identity = Self::role_session(role, name, key, created, Extra::None);
        if let Some(identity) = Rc::get_mut(&mut identity) {
            identity.console = true;
        }
        identity
    }

    /// The identity provider as it writes people into Identity Center.
    pub(crate) fn provisioning(organisation: &Organisation) -> Rc<Self> {
        let store = format!(
            "arn:aws:identitystore::{}:identitystore/{}",
            MANAGEMENT.id, organisation.identity_store
        );
        let value = json!({
            "type": "WebIdentityUser", "principalId": store, "accountId": MANAGEMENT.id,
            "userName": "provisioning",
        });
        Self::new(&value, &store)
    }

    /// A person in the access portal.
    pub(crate) fn portal(
        organisation: &Organisation,
        person: &Person,
        credential: &str,
    ) -> Rc<Self> {
        let value = json!({
            "type": "IdentityCenterUser", "accountId": MANAGEMENT.id,
            "onBehalfOf": on_behalf_of(organisation, person), "credentialId": credential,
        });
        let mut identity = Self::new(&value, &person.email);
        if let Some(identity) = Rc::get_mut(&mut identity) {
            identity.portal = true;
        }
        identity
    }

    /// A person as `AssumeRoleWithSAML` shows them.
    pub(crate) fn saml(person: &Person, provider: &str) -> Rc<Self> {
        let value = json!({
            "type": "SAMLUser", "principalId": format!("{provider}:{}", person.user_name),
            "userName": person.user_name, "identityProvider": provider,
        });
        Self::new(&value, &person.email)
    }

    /// A token of the code host's pipelines.
    pub(crate) fn web_identity(subject: &str) -> Rc<Self> {
        let provider = "token.actions.githubusercontent.com";
        let value = json!({
            "type": "WebIdentityUser", "principalId": format!("{provider}:sts.amazonaws.com:{subject}"),
            "userName": subject, "identityProvider": provider,
        });
        Self::new(&value, subject)
    }

    /// A token of a cluster.
    pub(crate) fn token(provider: &str, subject: &str) -> Rc<Self> {
        let value = json!({
            "type": "WebIdentityUser", "principalId": format!("{provider}:{subject}"),
            "userName": subject, "identityProvider": provider,
        });
        Self::new(&value, subject)
    }

    /// A service that acts by itself.
    pub(crate) fn service(name: &str) -> Rc<Self> {
        Self::new(&json!({"type": "AWSService", "invokedBy": name}), name)
    }

    /// A principal of another account, as the assumed account's record shows it.
    pub(crate) fn other_account(account: &str, id: &str) -> Rc<Self> {
        let value = json!({"type": "AWSAccount", "principalId": id, "accountId": account});
        Self::new(&value, id)
    }
}

/// What a role session shows beside the role.
#[derive(Clone, Copy)]
pub(crate) enum Extra<'a> {
    None,
    /// Delivered to an instance.
    Instance,
    /// Used by a service for the session's owner.
    InvokedBy(&'a str),
    /// Minted from a token of this provider.
    WebIdentity(&'a str),
    /// A person's session through Identity Center.
    Person {
        organisation: &'a Organisation,
        person: &'a Person,
        from_console: bool,
    },
}

/// Someone at some place with some program.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) identity: Rc<Identity>,
    pub(crate) address: Rc<str>,
    pub(crate) client: Client,
}

impl Caller {
    pub(crate) fn new(identity: &Rc<Identity>, address: &str, client: &Client) -> Self {
        Self {
            identity: Rc::clone(identity),
            address: address.into(),
            client: client.clone(),
        }
    }

    /// A service: its name stands in place of address and user agent.
    pub(crate) fn service(name: &str) -> Self {
        Self::by_service(&Identity::service(name), name)
    }

    /// A session that a service uses for its owner.
    pub(crate) fn by_service(identity: &Rc<Identity>, name: &str) -> Self {
        Self::new(identity, name, &Client::fixed(name))
    }
}

fn on_behalf_of(organisation: &Organisation, person: &Person) -> Value {
    json!({
        "userId": person.user_id,
        "identityStoreArn": format!(
            "arn:aws:identitystore::{}:identitystore/{}", MANAGEMENT.id, organisation.identity_store
        ),
    })
}

fn raw(value: &Value) -> Box<RawValue> {
    // A value that was built from literals always renders.
    RawValue::from_string(value.to_string()).unwrap_or_default()
}
