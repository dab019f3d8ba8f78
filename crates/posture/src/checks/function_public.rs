//! Anyone may call a function.

use portreeve_authz::Decision;
use portreeve_graph::Circumstances;
use portreeve_model::{EntityKind, Severity};

use crate::check::{Check, fails, passes, unknown};
use crate::scene::text;
use crate::verdicts::Judged;

const ACTIONS: [&str; 2] = ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"];

pub(super) const CHECK: Check = Check {
    id: "aws.function-public",
    title: "Anyone may call a function",
    why: "What the function trusts its caller with, and the role that it runs as, are then anyone's to try.",
    remedy: "Set the address's authorisation to `AWS_IAM`, and name the callers in the function's policy.",
    severity: Severity::High,
    posture: &["A24"],
    references: &["https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"],
    needs: &["aws.functions"],
    judge: |scene, verdicts| {
        verdicts.each(scene.of_kind(EntityKind::Function), |function| {
            let address = text(function, "FunctionUrlAuthType");
            match text(function, "Policy") {
                Some("given") => {}
                Some("none") => return Judged::pass(),
                _ if address == Some("NONE") => {
                    return Judged::fail(
                        "its address asks for no signature; its policy was not seen",
                    );
                }
                _ => return Judged::unknown("aws lambda get-policy --function-name NAME"),
            }
            // A stranger of an account that nobody knows sends no more than he must.
            let mut stranger =
                Circumstances::default().with("lambda:FunctionUrlAuthType", &["NONE"]);
            stranger.strict = true;
            let may = |action: &str| {
                scene.may("*", action, function.id.as_str(), &stranger) == Some(Decision::Allowed)
            };
            let open: Vec<&str> = ACTIONS
                .into_iter()
                .filter(|action| may(action))
                .filter(|action| {
                    let by_address = action.ends_with("Url");
                    !by_address || address.is_none_or(|kind| kind == "NONE")
                })
                .collect();
            match open.is_empty() {
                true => Judged::pass(),
                false => Judged::fail(format!("anyone may {}", open.join(", "))).on(scene
                    .roles_of(&function.id)
                    .iter()
                    .map(|role| (*role).clone())),
            }
        });
    },
    examples: &[
        fails(
            r#"{"Functions": [{"FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:pay", "Policy": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:eu-west-1:111122223333:function:pay"}]}}]}"#,
        ),
        passes(
            r#"{"Functions": [{"FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:pay", "Policy": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:eu-west-1:111122223333:function:pay"}]}}]}"#,
        ),
        unknown(
            r#"{"Functions": [{"FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:pay"}]}"#,
        ),
    ],
    ..Check::DEFAULT
};
