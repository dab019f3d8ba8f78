//! ECR repositories with their policies.

use serde_json::json;

use crate::caller::{Caller, text};
use crate::surface::{Call, Found, Scope, Surface};

const DESCRIBE_REPOSITORIES: Call = Call::new("ecr", "DescribeRepositories");
const GET_REPOSITORY_POLICY: Call = Call::new("ecr", "GetRepositoryPolicy");

pub(super) const SURFACE: Surface = Surface {
    id: "image-repositories",
    title: "ECR repositories",
    scope: Scope::Region,
    formats: &["aws.image-repositories"],
    calls: &[DESCRIBE_REPOSITORIES, GET_REPOSITORY_POLICY],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    if let Some(repositories) = aws.list(DESCRIBE_REPOSITORIES, json!({})).await {
        let repositories = aws.each(repositories, async |mut repository| {
            let input = json!({"repositoryName": text(&repository, "repositoryName")});
            let path = "policyText";
            aws.add(
                &mut repository,
                "Policy",
                GET_REPOSITORY_POLICY,
                input,
                path,
            )
            .await;
            repository
        });
        found.insert("Repositories".to_owned(), repositories.await);
    }
    found
}
