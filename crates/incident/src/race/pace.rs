//! How long steps of a path take, at the least.

use portreeve_graph::PathStep;

/// What a step waits for after its call: the beginning of its id, the seconds that it takes at the
/// least, what is waited for, and where that is described. The pages tell the phases and give no figure;
/// the seconds are round lower bounds, so that a race is not called won that could be lost.
const WAITS: &[(&str, u64, &str, &str)] = &[
    (
        "pulled-by",
        60,
        "the workload starts anew with the image",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html",
    ),
    (
        "ec2-instance-connect",
        0,
        "",
        "https://docs.aws.amazon.com/ec2-instance-connect/latest/APIReference/API_SendSSHPublicKey.html",
    ),
    (
        "ec2-",
        60,
        "an instance boots",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html",
    ),
    (
        "autoscaling-",
        60,
        "an instance boots",
        "https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html",
    ),
    (
        "ecs-",
        30,
        "a task is provisioned",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html",
    ),
    (
        "codebuild-",
        30,
        "a build is provisioned",
        "https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html",
    ),
    (
        "cloudformation-",
        30,
        "a stack is made",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-creation-events.html",
    ),
    (
        "glue-",
        60,
        "a job is provisioned",
        "https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html",
    ),
    (
        "sagemaker-",
        120,
        "an environment is provisioned",
        "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeNotebookInstance.html",
    ),
    (
        "elasticmapreduce-",
        120,
        "a cluster is provisioned",
        "https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-overview.html",
    ),
    (
        "rds-",
        60,
        "the database takes the change",
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html",
    ),
];

/// How long a step takes: the seconds until its call is made, those that it waits then, and what for.
pub(super) fn of_step(step: &PathStep, per_call: u64) -> (u64, u64, &'static str) {
    let (wait, what) = WAITS
        .iter()
        .find(|(start, ..)| step.via.starts_with(start))
        .map_or((0, ""), |(_, wait, what, _)| (*wait, *what));
    let calls = match step.via.as_str() {
        // To be an administrator is no deed; to take something as one is, and so is to sign in.
        "administrator" => false,
        "administers" | "signs-in-as" => true,
        // What merely holds, as to act as the role of a machine that one runs on, takes no call.
        _ => !step.permissions.is_empty(),
    };
    let call = if calls { per_call } else { 0 };
    (call, wait, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_take_the_actors_pace_and_machines_their_own() {
        let step = |via: &str, permissions: &[&str]| PathStep {
            from: "a".into(),
            to: "b".into(),
            via: via.to_owned(),
            title: String::new(),
            permissions: permissions.iter().map(|it| (*it).to_owned()).collect(),
            conditions: Vec::new(),
            statements: Vec::new(),
        };
        assert_eq!(
            of_step(&step("sts-assume-role", &["sts:AssumeRole"]), 60).0,
            60
        );
        assert_eq!(of_step(&step("runs-as", &[]), 60), (0, 0, ""));
        assert_eq!(of_step(&step("signs-in-as", &[]), 60).0, 60);
        assert_eq!(of_step(&step("administrator", &["*"]), 60).0, 0);
        assert_eq!(of_step(&step("pulled-by", &[]), 60).1, 60);
        assert_eq!(
            of_step(&step("ec2-run-instances", &["ec2:RunInstances"]), 5).1,
            60
        );
        assert_eq!(
            of_step(&step("ec2-instance-connect-send-key", &["x:y"]), 5).1,
            0
        );
        assert!(
            WAITS
                .iter()
                .all(|(.., source)| source.starts_with("https://"))
        );
    }
}
