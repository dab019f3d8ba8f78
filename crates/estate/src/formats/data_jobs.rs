//! Glue and SageMaker jobs.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.data-jobs",
    title: "Glue and SageMaker jobs",
    command: "aws glue get-jobs; aws glue get-dev-endpoints; aws sagemaker describe-notebook-instance --notebook-instance-name NAME (for each of list-notebook-instances)",
    without: "which roles are reached through a data job or a notebook",
    wanted: Wanted::EachAccount,
    recognise: |document| LISTINGS.iter().any(|listing| listing.is_in(document)),
    read: |document, reader| {
        for listing in LISTINGS {
            listing.read(document, reader);
        }
    },
    ..FormatFile::DEFAULT
};

const LISTINGS: &[Listing] = &[
    Listing {
        service: "glue",
        kind: EntityKind::DataJob,
        members: &["Jobs", "Job", "GlueJobs"],
        id: &["Arn"],
        name: &["Name"],
        resource: "job/",
        roles: &["Role"],
        kept: &["Command.ScriptLocation", "Description"],
        ..Listing::DEFAULT
    },
    Listing {
        service: "glue",
        kind: EntityKind::DataJob,
        members: &["DevEndpoints", "DevEndpoint"],
        id: &["Arn"],
        name: &["EndpointName"],
        resource: "devEndpoint/",
        roles: &["RoleArn"],
        kept: &["Status"],
        ..Listing::DEFAULT
    },
    Listing {
        service: "sagemaker",
        kind: EntityKind::DataJob,
        members: &[
            "",
            "NotebookInstances",
            "TrainingJobs",
            "ProcessingJobs",
            "Models",
            "Endpoints",
        ],
        id: &[
            "NotebookInstanceArn",
            "TrainingJobArn",
            "ProcessingJobArn",
            "ModelArn",
            "EndpointArn",
        ],
        roles: &["RoleArn", "ExecutionRoleArn"],
        images: &["PrimaryContainer.Image", "AppSpecification.ImageUri"],
        ..Listing::DEFAULT
    },
];
