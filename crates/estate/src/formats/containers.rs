//! ECS task definitions, services, tasks and clusters.

use portreeve_model::{Entity, EntityKind};

use crate::format::FormatFile;
use crate::listing::Listing;
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.containers",
    title: "ECS task definitions, services and tasks",
    command: "aws ecs describe-task-definition --task-definition ARN (for each of list-task-definitions); aws ecs describe-services; aws ecs describe-tasks",
    without: "which roles are reached through a container, and which image repositories are run",
    recognise: |document| LISTINGS.iter().any(|listing| listing.is_in(document)),
    read,
    ..FormatFile::DEFAULT
};

const LISTINGS: &[Listing] = &[
    Listing {
        service: "ecs",
        kind: EntityKind::Task,
        members: &["taskDefinition", "taskDefinitions", "TaskDefinitions"],
        id: &["taskDefinitionArn"],
        name: &["family"],
        resource: "task-definition/",
        roles: &["taskRoleArn", "executionRoleArn"],
        ..Listing::DEFAULT
    },
    Listing {
        service: "ecs",
        kind: EntityKind::ContainerService,
        members: &["services", "Services", "ContainerServices"],
        id: &["serviceArn"],
        roles: &["taskRoleArn"],
        kept: &[
            "clusterArn",
            "taskDefinition",
            "enableExecuteCommand",
            "launchType",
        ],
        ..Listing::DEFAULT
    },
    Listing {
        service: "ecs",
        kind: EntityKind::Task,
        members: &["tasks", "Tasks"],
        id: &["taskArn"],
        roles: &["overrides.taskRoleArn", "overrides.executionRoleArn"],
        kept: &[
            "clusterArn",
            "taskDefinitionArn",
            "enableExecuteCommand",
            "group",
        ],
        ..Listing::DEFAULT
    },
    Listing {
        service: "ecs",
        kind: EntityKind::Cluster,
        members: &["clusters", "Clusters"],
        id: &["clusterArn"],
        name: &["clusterName"],
        resource: "cluster/",
        ..Listing::DEFAULT
    },
];

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    for listing in LISTINGS {
        listing.read_with(document, reader, &mut images);
    }
}

fn images(object: &Object<'_>, entity: &mut Entity, reader: &mut Reader<'_>) {
    let mut found = Vec::new();
    for list in ["containerDefinitions", "containers"] {
        let mut containers = object.list(list, reader);
        while let Some(container) = containers.next(reader) {
            if let Some(image) = container.text("image", reader) {
                reader.pulls(entity.id.as_str(), &image);
                found.push(image.into_owned());
            }
        }
    }
    if !found.is_empty() {
        found.sort();
        entity
            .attributes
            .insert("Images".to_owned(), found.join(", "));
    }
}
