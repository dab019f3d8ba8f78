//! CloudFront distributions and the origins that they serve.

use portreeve_model::{EntityKind, Relation};

use crate::arn;
use crate::format::FormatFile;
use crate::listing::Listing;
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.distributions",
    title: "CloudFront distributions",
    command: "aws cloudfront list-distributions",
    without: "which buckets are web origins, whose content visitors' browsers load",
    recognise: |document| DISTRIBUTIONS.is_in(document),
    read,
    ..FormatFile::DEFAULT
};

const DISTRIBUTIONS: Listing = Listing {
    service: "cloudfront",
    kind: EntityKind::Distribution,
    members: &["DistributionList.Items", "Distributions", "Distribution"],
    id: &["ARN", "Arn"],
    kept: &["DomainName", "Comment", "Enabled", "DefaultRootObject"],
    ..Listing::DEFAULT
};

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    DISTRIBUTIONS.read_with(document, reader, &mut |distribution, entity, reader| {
        let places = [
            "Origins.Items",
            "DistributionConfig.Origins.Items",
            "Origins",
        ];
        let place = places.iter().find(|place| {
            let value = distribution.get(place);
            value.is_some_and(|value| value.is_array())
        });
        let mut names = Vec::new();
        let mut open = Vec::new();
        if let Some(place) = place {
            let mut origins = distribution.list(place, reader);
            while let Some(origin) = origins.next(reader) {
                let Some(domain) = origin.required(&["DomainName"], reader) else {
                    continue;
                };
                let id = match arn::bucket_of_domain(&domain) {
                    Some(bucket) => {
                        let signs = [
                            "OriginAccessControlId",
                            "S3OriginConfig.OriginAccessIdentity",
                        ];
                        let signs = signs.iter().find_map(|name| origin.get(name)?.string());
                        if signs.is_none_or(|id| id.is_empty()) {
                            open.push(domain.clone().into_owned());
                        }
                        reader.infer(bucket.as_str(), EntityKind::Bucket);
                        bucket
                    }
                    None => {
                        reader.infer(&*domain, EntityKind::Other);
                        domain.clone().into_owned()
                    }
                };
                reader.relate(Relation::Serves {
                    distribution: entity.id.clone(),
                    origin: id.into(),
                });
                names.push(domain.into_owned());
            }
        }
        if place.is_some() {
            // Buckets that it reads without signing, so that they are open to others as well.
            let open = match open.is_empty() {
                true => "none".to_owned(),
                false => open.join(", "),
            };
            entity.attributes.insert("UnsignedOrigins".to_owned(), open);
        }
        let aliases = distribution
            .get("Aliases.Items")
            .or(distribution.get("DistributionConfig.Aliases.Items"))
            .map(|aliases| aliases.strings().join(", "));
        let found = [("Aliases", aliases), ("Origins", Some(names.join(", ")))];
        for (name, value) in found {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                entity.attributes.insert(name.to_owned(), value);
            }
        }
    });
}
