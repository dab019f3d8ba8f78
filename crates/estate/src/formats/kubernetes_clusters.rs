//! EKS clusters with who may enter them.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.kubernetes-clusters",
    title: "EKS clusters",
    command: "aws eks describe-cluster --name NAME (for each of list-clusters, with its access entries as `AccessEntries`: describe-access-entry and list-associated-access-policies of each)",
    without: "which clusters' control planes face the internet, what they log, and who administers them",
    wanted: Wanted::Optional,
    recognise: |document| CLUSTERS.is_in(document),
    read: |document, reader| {
        CLUSTERS.read(document, reader);
    },
    ..FormatFile::DEFAULT
};

const CLUSTERS: Listing = Listing {
    service: "eks",
    kind: EntityKind::Cluster,
    members: &["cluster", "EksClusters"],
    id: &["arn"],
    kept: &[
        "name",
        "version",
        "resourcesVpcConfig.endpointPublicAccess",
        "resourcesVpcConfig.endpointPrivateAccess",
    ],
    whole: &[
        "resourcesVpcConfig.publicAccessCidrs",
        "logging.clusterLogging",
        "encryptionConfig",
        "AccessEntries",
    ],
    ..Listing::DEFAULT
};
