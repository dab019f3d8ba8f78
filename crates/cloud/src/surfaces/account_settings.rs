//! Settings of an account: its summary, password policy, lock of S3; roles' sessions, identity
//! providers and certificates, which the details of IAM leave out.

use serde_json::{Map, json};

use crate::caller::{Caller, put};
use crate::surface::{Call, Found, Scope, Surface};

const GET_ACCOUNT_SUMMARY: Call = Call::new("iam", "GetAccountSummary");
const GET_ACCOUNT_PASSWORD_POLICY: Call = Call::new("iam", "GetAccountPasswordPolicy");
const GET_ACCOUNT_PUBLIC_ACCESS_BLOCK: Call =
    Call::new("s3control", "GetPublicAccessBlock").allowed_by("s3:GetAccountPublicAccessBlock");
const LIST_ROLES: Call = Call::new("iam", "ListRoles");
const LIST_SERVER_CERTIFICATES: Call = Call::new("iam", "ListServerCertificates");
const LIST_OIDC_PROVIDERS: Call = Call::new("iam", "ListOpenIDConnectProviders");
const LIST_SAML_PROVIDERS: Call = Call::new("iam", "ListSAMLProviders");

pub(super) const SURFACE: Surface = Surface {
    id: "account-settings",
    title: "settings of accounts",
    scope: Scope::Account,
    formats: &[
        "aws.account-settings",
        "aws.password-policy",
        "aws.roles",
        "aws.server-certificates",
        "aws.identity-providers",
    ],
    calls: &[
        GET_ACCOUNT_SUMMARY,
        GET_ACCOUNT_PASSWORD_POLICY,
        GET_ACCOUNT_PUBLIC_ACCESS_BLOCK,
        LIST_ROLES,
        LIST_SERVER_CERTIFICATES,
        LIST_OIDC_PROVIDERS,
        LIST_SAML_PROVIDERS,
    ],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Map::new();
    let of = json!({"AccountId": aws.account()});
    for (name, call, input, path) in [
        ("SummaryMap", GET_ACCOUNT_SUMMARY, json!({}), "SummaryMap"),
        (
            "PasswordPolicy",
            GET_ACCOUNT_PASSWORD_POLICY,
            json!({}),
            "PasswordPolicy",
        ),
        (
            "AccountPublicAccessBlock",
            GET_ACCOUNT_PUBLIC_ACCESS_BLOCK,
            of,
            "",
        ),
        (
            "OpenIDConnectProviderList",
            LIST_OIDC_PROVIDERS,
            json!({}),
            "OpenIDConnectProviderList",
        ),
        (
            "SAMLProviderList",
            LIST_SAML_PROVIDERS,
            json!({}),
            "SAMLProviderList",
        ),
    ] {
        aws.add(&mut found, name, call, input, path).await;
    }
    put(&mut found, "Roles", aws.list(LIST_ROLES, json!({})).await);
    let certificates = aws.list(LIST_SERVER_CERTIFICATES, json!({})).await;
    put(&mut found, "ServerCertificateMetadataList", certificates);
    found
}
