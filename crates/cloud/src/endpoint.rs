//! Where a service is reached.
//!
//! The rules are those of AWS's own endpoint rule sets for the services called here: a host of the
//! form `PREFIX.REGION.SUFFIX`, but for three services that have one host a partition
//! (<https://docs.aws.amazon.com/general/latest/gr/rande.html>).

/// An address and the region that its requests are signed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    pub(crate) region: String,
}

/// What regions share that are apart from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    /// Its name in ARNs.
    pub(crate) name: &'static str,
    suffix: &'static str,
    /// The region in which its global services are signed for, by service.
    global: &'static [(&'static str, &'static str, &'static str)],
}

const PARTITIONS: &[(&str, Partition)] = &[
    (
        "cn-",
        Partition {
            name: "aws-cn",
            suffix: "amazonaws.com.cn",
            global: &[
                ("iam", "cn-north-1", "iam.cn-north-1.amazonaws.com.cn"),
                (
                    "organizations",
                    "cn-northwest-1",
                    "organizations.cn-northwest-1.amazonaws.com.cn",
                ),
                (
                    "cloudfront",
                    "cn-northwest-1",
                    "cloudfront.cn-northwest-1.amazonaws.com.cn",
                ),
            ],
        },
    ),
    (
        "us-gov-",
        Partition {
            name: "aws-us-gov",
            suffix: "amazonaws.com",
            global: &[
                ("iam", "us-gov-west-1", "iam.us-gov.amazonaws.com"),
                (
                    "organizations",
                    "us-gov-west-1",
                    "organizations.us-gov-west-1.amazonaws.com",
                ),
            ],
        },
    ),
    (
        "",
        Partition {
            name: "aws",
            suffix: "amazonaws.com",
            global: &[
                ("iam", "us-east-1", "iam.amazonaws.com"),
                (
                    "organizations",
                    "us-east-1",
                    "organizations.us-east-1.amazonaws.com",
                ),
                ("cloudfront", "us-east-1", "cloudfront.amazonaws.com"),
            ],
        },
    ),
];

/// The partition of a region.
pub(crate) fn partition(region: &str) -> Partition {
    let found = PARTITIONS
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix));
    found.map_or(PARTITIONS[PARTITIONS.len() - 1].1, |(_, partition)| {
        *partition
    })
}

/// Where a service is reached in a region; `instead` is an address to use for all services.
pub(crate) fn endpoint(
    service: &str,
    prefix: &str,
    region: &str,
    instead: Option<&str>,
) -> Endpoint {
    let partition = partition(region);
    let global = partition.global.iter().find(|(name, ..)| *name == service);
    let (host, region) = match global {
        Some((_, region, host)) => ((*host).to_owned(), *region),
        None => (format!("{prefix}.{region}.{}", partition.suffix), region),
    };
    Endpoint {
        url: instead.map_or_else(|| format!("https://{host}"), str::to_owned),
        region: region.to_owned(),
    }
}

/// The parts of an ARN: partition, service, region, account, resource.
pub(crate) fn parts_of_arn(arn: &str) -> Option<[&str; 5]> {
    let mut parts = arn.strip_prefix("arn:")?.splitn(5, ':');
    Some([
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_those_of_aws() {
        for (service, prefix, region, url, signed) in [
            (
                "kms",
                "kms",
                "eu-west-1",
                "https://kms.eu-west-1.amazonaws.com",
                "eu-west-1",
            ),
            (
                "ecr",
                "api.ecr",
                "cn-north-1",
                "https://api.ecr.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
            (
                "iam",
                "iam",
                "eu-west-1",
                "https://iam.amazonaws.com",
                "us-east-1",
            ),
            (
                "iam",
                "iam",
                "us-gov-east-1",
                "https://iam.us-gov.amazonaws.com",
                "us-gov-west-1",
            ),
            (
                "organizations",
                "organizations",
                "ap-south-2",
                "https://organizations.us-east-1.amazonaws.com",
                "us-east-1",
            ),
            (
                "cloudfront",
                "cloudfront",
                "cn-north-1",
                "https://cloudfront.cn-northwest-1.amazonaws.com.cn",
                "cn-northwest-1",
            ),
        ] {
            let found = endpoint(service, prefix, region, None);
            assert_eq!((found.url.as_str(), found.region.as_str()), (url, signed));
        }
        let local = endpoint("iam", "iam", "eu-west-1", Some("http://127.0.0.1:5000"));
        assert_eq!(
            (local.url.as_str(), local.region.as_str()),
            ("http://127.0.0.1:5000", "us-east-1")
        );
    }
}
