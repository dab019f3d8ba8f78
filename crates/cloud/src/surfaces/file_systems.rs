//! EFS file systems.

use serde_json::json;

use crate::caller::{Caller, put};
use crate::surface::{Call, Found, Scope, Surface};

const DESCRIBE_FILE_SYSTEMS: Call =
    Call::new("efs", "DescribeFileSystems").allowed_by("elasticfilesystem:DescribeFileSystems");

pub(super) const SURFACE: Surface = Surface {
    id: "file-systems",
    title: "EFS file systems",
    scope: Scope::Region,
    formats: &["aws.file-systems"],
    calls: &[DESCRIBE_FILE_SYSTEMS],
    collect: |aws| Box::pin(collect(aws)),
};

async fn collect(aws: &Caller<'_>) -> Found {
    let mut found = Found::new();
    put(
        &mut found,
        "FileSystems",
        aws.list(DESCRIBE_FILE_SYSTEMS, json!({})).await,
    );
    found
}
