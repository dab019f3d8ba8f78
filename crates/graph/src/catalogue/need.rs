use serde::{Deserialize, Serialize};

/// One thing that a step takes: any one of these permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// The permissions, the usual one first.
    pub any_of: Vec<Permission>,
}

/// One permission: `ACTION on RESOURCE with KEY=VALUE, KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Permission {
    /// The action: `iam:PassRole`.
    pub action: String,
    /// On what.
    pub on: PermissionTarget,
    /// What the step itself writes into the request: condition keys and values.
    pub with: Vec<(String, String)>,
}

/// On what a permission is needed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PermissionTarget {
    /// On the step's target.
    Target,
    /// On something inside the target, as an object of a bucket.
    InTarget,
    /// On anything that a pattern covers; `{account}` stands for the taker's account.
    Some(String),
}

impl Permission {
    /// Reads the short form.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (rest, with) = match text.split_once(" with ") {
            Some((rest, with)) => (rest, with),
            None => (text, ""),
        };
        let (action, on) = match rest.split_once(" on ") {
            Some((action, on)) => (action.trim(), on.trim()),
            None => (rest.trim(), "target"),
        };
        let named = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        match action.split_once(':') {
            Some((service, operation)) if named(service) && named(operation) => {}
            _ => {
                return Err(format!(
                    "`{action}` is not an action such as `iam:PassRole`"
                ));
            }
        }
        let on = match on {
            "target" => PermissionTarget::Target,
            "target/*" => PermissionTarget::InTarget,
            "any" => PermissionTarget::Some("*".to_owned()),
            pattern if pattern == "*" || pattern.starts_with("arn:") => {
                PermissionTarget::Some(pattern.to_owned())
            }
            other => {
                return Err(format!(
                    "`{other}` is none of `target`, `target/*`, `any` or an ARN"
                ));
            }
        };
        let with = with
            .split(',')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
            .map(|pair| match pair.split_once('=') {
                Some((key, value)) if key.contains(':') => {
                    Ok((key.trim().to_owned(), value.trim().to_owned()))
                }
                _ => Err(format!("`{pair}` is not of the form `iam:Key=value`")),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            action: action.to_owned(),
            on,
            with,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms() {
        let pass = Permission::parse(
            "iam:PassRole on target with iam:PassedToService=lambda.amazonaws.com",
        )
        .unwrap();
        assert_eq!(pass.on, PermissionTarget::Target);
        assert_eq!(pass.with[0].1, "lambda.amazonaws.com");
        assert_eq!(
            Permission::parse("s3:PutObject on target/*").unwrap().on,
            PermissionTarget::InTarget
        );
        assert!(Permission::parse("PassRole").is_err());
        assert!(Permission::parse("iam:PassRole on role").is_err());
        assert!(Permission::parse("iam:PassRole with service").is_err());
    }
}
