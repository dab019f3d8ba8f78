//! A plain list of what runs as which role: `{"Compute": [{"type": "aws_lambda_function",
//! "Arn": "…", "role": "…"}]}`, with types and attributes as Terraform names them.

use portreeve_model::{Entity, EntityKind};

use crate::arn;
use crate::format::{FormatFile, Wanted};
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.compute",
    title: "workloads and the roles that they run as",
    command: "see `Compute` in docs/inventory.md",
    without: "which roles are reached through a workload",
    wanted: Wanted::Optional,
    covers: &[
        "aws.applications",
        "aws.build-projects",
        "aws.containers",
        "aws.data-jobs",
        "aws.functions",
        "aws.instances",
        "aws.stacks",
        "aws.state-machines",
    ],
    recognise: |document| {
        document
            .get("Compute")
            .is_some_and(|compute| compute.is_array())
    },
    read,
    ..FormatFile::DEFAULT
};

const ROLES: &[&str] = &[
    "role",
    "Role",
    "role_arn",
    "RoleArn",
    "service_role",
    "service_role_arn",
    "iam_role_arn",
    "execution_role_arn",
    "task_role_arn",
    "instance_role_arn",
    "access_role_arn",
];

const PROFILES: &[&str] = &["iam_instance_profile", "IamInstanceProfile"];

const IMAGES: &[&str] = &["image_uri", "image", "image_identifier"];

/// Kept as they are. Never `user_data` and its like, which may hold secrets.
const KEPT: &[&str] = &[
    "name",
    "type",
    "function_name",
    "description",
    "cluster",
    "task_definition",
];

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    let mut list = document.list("Compute", reader);
    while let Some(item) = list.next(reader) {
        let Some(id) = item.arn(&["Arn", "arn", "ARN"], reader) else {
            continue;
        };
        let account = arn::parts(&id).map(|parts| parts[3]);
        let account = account.filter(|account| arn::is_account(account));
        let kind = item.first(&["type", "Type"], reader);
        let kind = kind.and_then(|kind| kind_of_type(&kind));
        let kind = kind.or_else(|| arn::entity(&id).map(|(_, kind)| kind));
        let mut entity = Entity::new(&*id, kind.unwrap_or(EntityKind::Other));
        entity.tags = item.tags(reader);
        for kept in [KEPT, ROLES, IMAGES] {
            item.keep(kept, &mut entity, reader);
        }
        for role in ROLES {
            let role = item.text(role, reader);
            if let Some(role) = role.and_then(|role| arn::role(&role, account)) {
                reader.runs_as(&id, &role);
            }
        }
        for image in IMAGES {
            if let Some(image) = item.text(image, reader) {
                reader.pulls(&id, &image);
            }
        }
        if let Some(profile) = item.first(PROFILES, reader) {
            let name = "IamInstanceProfile".to_owned();
            entity.attributes.insert(name, profile.into_owned());
        }
        // Under the names that `complete` looks for.
        if let Some(definition) = item.text("task_definition", reader) {
            let name = "taskDefinition".to_owned();
            entity.attributes.insert(name, definition.into_owned());
        }
        reader.add(entity);
    }
}

fn kind_of_type(kind: &str) -> Option<EntityKind> {
    Some(match kind {
        "aws_lambda_function" => EntityKind::Function,
        "aws_instance" | "aws_spot_instance_request" => EntityKind::Instance,
        "aws_launch_template" | "aws_launch_configuration" => EntityKind::LaunchTemplate,
        "aws_ecs_task_definition" => EntityKind::Task,
        "aws_ecs_service" => EntityKind::ContainerService,
        "aws_ecs_cluster" | "aws_eks_cluster" => EntityKind::Cluster,
        "aws_codebuild_project" => EntityKind::BuildProject,
        "aws_cloudformation_stack" | "aws_cloudformation_stack_set" => EntityKind::Stack,
        "aws_apprunner_service" => EntityKind::Application,
        "aws_ssm_parameter" => EntityKind::Parameter,
        "aws_secretsmanager_secret" => EntityKind::Secret,
        "aws_sfn_state_machine" | "aws_datapipeline_pipeline" | "aws_emr_cluster" => {
            EntityKind::DataJob
        }
        _ if kind.starts_with("aws_glue_") || kind.starts_with("aws_sagemaker_") => {
            EntityKind::DataJob
        }
        _ => return None,
    })
}
