//! EC2 instances, launch templates and instance profiles.

use portreeve_model::{Entity, EntityKind};

use crate::format::FormatFile;
use crate::listing::Listing;
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.instances",
    title: "EC2 instances, launch templates and instance profiles",
    command: "aws ec2 describe-instances; aws ec2 describe-launch-template-versions --versions '$Default'; aws iam list-instance-profiles",
    without: "which roles are reached through a virtual machine",
    recognise,
    read,
    ..FormatFile::DEFAULT
};

const INSTANCES: Listing = Listing {
    service: "ec2",
    kind: EntityKind::Instance,
    members: &["Instances", "instances"],
    id: &["Arn"],
    name: &["InstanceId"],
    resource: "instance/",
    kept: &[
        "ImageId",
        "PublicIpAddress",
        "MetadataOptions.HttpTokens",
        "MetadataOptions.HttpPutResponseHopLimit",
        "MetadataOptions.HttpEndpoint",
        "State.Name",
        "VpcId",
    ],
    ..Listing::DEFAULT
};

const TEMPLATES: Listing = Listing {
    service: "ec2",
    kind: EntityKind::LaunchTemplate,
    members: &["LaunchTemplateVersions", "LaunchTemplates"],
    id: &["Arn"],
    name: &["LaunchTemplateId"],
    resource: "launch-template/",
    kept: &["LaunchTemplateName", "LaunchTemplateData.ImageId"],
    ..Listing::DEFAULT
};

const PROFILES: Listing = Listing {
    service: "iam",
    kind: EntityKind::Other,
    members: &["InstanceProfiles", "InstanceProfile"],
    id: &["Arn"],
    kept: &["InstanceProfileName"],
    ..Listing::DEFAULT
};

fn recognise(document: &Object<'_>) -> bool {
    let reservations = document.get("Reservations");
    reservations.is_some_and(|reservations| {
        let first = reservations.elements().next();
        reservations.is_array() && first.is_none_or(|first| first.get("Instances").is_some())
    }) || [INSTANCES, TEMPLATES, PROFILES]
        .iter()
        .any(|listing| listing.is_in(document))
}

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    let outer = (reader.account.clone(), reader.region.clone());
    let mut reservations = document.list("Reservations", reader);
    while let Some(reservation) = reservations.next(reader) {
        if let Some(owner) = reservation.text("OwnerId", reader) {
            reader.account = Some(owner.into_owned());
        }
        let zone = reservation
            .get("Instances")
            .and_then(|instances| instances.elements().next())
            .and_then(|instance| instance.get("Placement")?.get("AvailabilityZone")?.string());
        if let Some(region) = zone.as_deref().and_then(region_of_zone) {
            reader.region = Some(region.to_owned());
        }
        read_instances(&reservation, reader);
        (reader.account, reader.region) = outer.clone();
    }
    read_instances(document, reader);
    TEMPLATES.read_with(document, reader, &mut |template, entity, reader| {
        if let Some(data) = template.object("LaunchTemplateData", reader) {
            profile(&data, entity, reader);
        }
        profile(template, entity, reader);
    });
    PROFILES.read_with(document, reader, &mut |profile, entity, reader| {
        let mut roles = profile.list("Roles", reader);
        while let Some(role) = roles.next(reader) {
            if let Some(role) = role.arn(&["Arn"], reader) {
                reader.infer(&*role, EntityKind::Role);
                entity
                    .attributes
                    .insert("Role".to_owned(), role.into_owned());
            }
        }
    });
}

fn read_instances(object: &Object<'_>, reader: &mut Reader<'_>) {
    INSTANCES.read_with(object, reader, &mut |instance, entity, reader| {
        profile(instance, entity, reader);
        if instance.has("IamInstanceProfile") {
            let given = instance
                .get("IamInstanceProfile")
                .map_or("none", |_| "given");
            let name = "InstanceProfile".to_owned();
            entity.attributes.insert(name, given.to_owned());
        }
        if !instance.has("SecurityGroups") {
            return;
        }
        let mut groups = Vec::new();
        let mut list = instance.list("SecurityGroups", reader);
        while let Some(group) = list.next(reader) {
            groups.extend(group.required(&["GroupId"], reader).map(String::from));
        }
        let name = "SecurityGroups".to_owned();
        entity.attributes.insert(name, groups.join(", "));
    });
}

/// The instance profile by ARN or name; `complete` finds its role.
fn profile(object: &Object<'_>, entity: &mut Entity, reader: &mut Reader<'_>) {
    let Some(value) = object.get("IamInstanceProfile") else {
        return;
    };
    let text = if value.is_object() {
        object
            .object("IamInstanceProfile", reader)
            .and_then(|profile| profile.first(&["Arn", "Name"], reader))
    } else {
        value.string()
    };
    if let Some(text) = text {
        let name = "IamInstanceProfile".to_owned();
        entity.attributes.insert(name, text.into_owned());
    }
}

/// `eu-west-1` of `eu-west-1a`; local zones (`us-east-1-bos-1a`) keep their first three parts.
fn region_of_zone(zone: &str) -> Option<&str> {
    let mut ends = zone.match_indices('-').map(|(at, _)| at);
    let third = ends.nth(1)?;
    let digits = zone.get(third + 1..)?;
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    // `us-gov-west-1a` has its number one part later.
    if length == 0 {
        let end = ends.next()?;
        let digits = zone.get(end + 1..)?;
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        return zone.get(..end + 1 + length);
    }
    zone.get(..third + 1 + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_tell_regions() {
        assert_eq!(region_of_zone("eu-west-1a"), Some("eu-west-1"));
        assert_eq!(region_of_zone("us-gov-west-1b"), Some("us-gov-west-1"));
        assert_eq!(region_of_zone("us-east-1-bos-1a"), Some("us-east-1"));
        assert_eq!(region_of_zone("nowhere"), None);
    }
}
