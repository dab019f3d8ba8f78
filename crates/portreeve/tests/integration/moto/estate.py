"""Fills the stand-in of server.py: an organization of three accounts with 200 principals and one of
everything that a surface reads.

usage: estate.py ADDRESS      prints the accounts, the management account first
"""

import functools
import io
import json
import sys
import zipfile

import boto3

ADDRESS = sys.argv[1]
REGIONS = ["eu-west-1", "us-east-1"]
ACCOUNTS = 3
PRINCIPALS = 200


def client(service, region="us-east-1", keys=None):
    keys = keys or {"AccessKeyId": "AKIAEXAMPLE", "SecretAccessKey": "secret", "SessionToken": None}
    return made(service, region, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


# One is made from all that botocore knows of a service.
@functools.cache
def made(service, region, key, secret, session):
    return boto3.client(
        service, region_name=region, endpoint_url=ADDRESS, aws_access_key_id=key, aws_secret_access_key=secret,
        aws_session_token=session,
    )


def trust(principal):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(actions, resource="*"):
    statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def identities(account, keys, number, count):
    iam = client("iam", keys=keys)
    iam.create_group(GroupName="developers", Path="/staff/")
    iam.put_group_policy(GroupName="developers", PolicyName="read", PolicyDocument=allow(["s3:Get*", "s3:List*"]))
    policy = iam.create_policy(PolicyName="deploy", PolicyDocument=allow(["lambda:UpdateFunctionCode", "iam:PassRole"]))
    arn = policy["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow(["lambda:UpdateFunctionCode"]), SetAsDefault=True)
    for index in range(count // 2):
        name = f"person-{number}-{index:03}"
        iam.create_user(UserName=name, Tags=[{"Key": "team", "Value": "true"}])
        iam.add_user_to_group(GroupName="developers", UserName=name)
        if index % 3 == 0:
            iam.create_access_key(UserName=name)
        if index % 5 == 0:
            iam.attach_user_policy(UserName=name, PolicyArn=arn)
    # A way to the signing keys: this person may take a role that signs.
    step = f"arn:aws:iam::{account}:role/work/role-{number}-001"
    iam.put_user_policy(UserName=f"person-{number}-001", PolicyName="step", PolicyDocument=allow("sts:AssumeRole", step))
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=f"person-{number}-000")
    serial = device["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(UserName=f"person-{number}-000", SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321")
    for index in range(count - count // 2):
        name = f"role-{number}-{index:03}"
        document = trust({"AWS": f"arn:aws:iam::{account}:root"} if index else {"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]})
        iam.create_role(RoleName=name, Path="/work/", AssumeRolePolicyDocument=document, Description="a \"quoted\" <role>")
        iam.put_role_policy(RoleName=name, PolicyName="sign", PolicyDocument=allow("kms:Sign"))
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName=f"role-{number}-000")
    return f"arn:aws:iam::{account}:role/work/role-{number}-000"


def buckets(account, keys, number):
    s3 = client("s3", keys=keys)
    for index in range(4):
        name = f"estate-{account}-{index}"
        s3.create_bucket(Bucket=name)
        if index == 0:
            s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}]}))
            s3.put_bucket_website(Bucket=name, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
        if index == 1:
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration={
                "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": False})
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        if index == 2:
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "use", "Value": "logs"}]})
    client("cloudfront", keys=keys).create_distribution(DistributionConfig={
        "CallerReference": f"d{number}", "Comment": "site", "Enabled": True,
        "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all"},
        "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": f"estate-{account}-0.s3.amazonaws.com",
                                              "S3OriginConfig": {"OriginAccessIdentity": ""}}]}})


def resources(account, keys, region, role):
    def of(service):
        return client(service, region, keys)

    kms = of("kms")
    key = kms.create_key(Description="signs", KeyUsage="SIGN_VERIFY", KeySpec="ECC_SECG_P256K1", Tags=[{"TagKey": "wallet", "TagValue": "hot"}])
    key = key["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/hot-wallet", TargetKeyId=key)
    kms.create_grant(KeyId=key, GranteePrincipal=role, Operations=["Sign"])
    secret = of("secretsmanager").create_secret(Name="deploy/token", SecretString="never to be read")
    of("secretsmanager").put_resource_policy(SecretId=secret["ARN"], ResourcePolicy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]}))
    of("secretsmanager").create_secret(Name="plain", SecretString="never to be read")
    for index in range(60):
        of("ssm").put_parameter(Name=f"/app/{index:02}", Value="never to be read", Type="SecureString" if index % 2 else "String")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("main.py", "def run(event, context): pass")
    of("lambda").create_function(
        FunctionName="worker", Runtime="python3.12", Role=role, Handler="main.run", Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"TOKEN": "never to be written"}}, Tags={"team": "web"})
    of("lambda").add_permission(FunctionName="worker", StatementId="web", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
    of("lambda").create_function_url_config(FunctionName="worker", AuthType="NONE")
    ecr = of("ecr")
    ecr.create_repository(repositoryName="web/api", imageTagMutability="IMMUTABLE")
    ecr.set_repository_policy(repositoryName="web/api", policyText=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "push", "Effect": "Allow", "Principal": {"AWS": role}, "Action": "ecr:PutImage"}]}))
    ecr.create_repository(repositoryName="bare")
    ecs = of("ecs")
    ecs.create_cluster(clusterName="main")
    task = ecs.register_task_definition(family="api", taskRoleArn=role, containerDefinitions=[{
        "name": "api", "image": f"{account}.dkr.ecr.{region}.amazonaws.com/web/api:1", "memory": 128,
        "environment": [{"name": "TOKEN", "value": "never to be written"}]}])
    ecs.run_task(cluster="main", taskDefinition="api", launchType="FARGATE", networkConfiguration={
        "awsvpcConfiguration": {"subnets": [of("ec2").describe_subnets()["Subnets"][0]["SubnetId"]]}})
    ecs.create_service(cluster="main", serviceName="api", taskDefinition=task["taskDefinition"]["taskDefinitionArn"], desiredCount=1)
    of("codebuild").create_project(
        name="release", serviceRole=role, source={"type": "S3", "location": "bucket/path"}, artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL",
                     "environmentVariables": [{"name": "TOKEN", "value": "never to be written"}]})
    ec2 = of("ec2")
    image = ec2.register_image(Name="web", RootDeviceName="/dev/xvda")["ImageId"]
    ec2.run_instances(ImageId=image, MinCount=3, MaxCount=3, IamInstanceProfile={"Name": "web"})
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={
        "ImageId": image, "IamInstanceProfile": {"Name": "web"}, "UserData": "bmV2ZXIgdG8gYmUgd3JpdHRlbg=="})
    queue = of("sqs").create_queue(QueueName="jobs")["QueueUrl"]
    of("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [
        {"Sid": "send", "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}]})})
    of("sns").create_topic(Name="alerts")
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "of-a-stack"}}},
                "Outputs": {"Password": {"Value": "never to be written"}}}
    of("cloudformation").create_stack(StackName="base", TemplateBody=json.dumps(template), RoleARN=role)
    of("stepfunctions").create_state_machine(name="flow", roleArn=role, definition='{"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}')
    of("glue").create_job(Name="etl", Role=role, Command={"Name": "glueetl", "ScriptLocation": "s3://bucket/job.py"},
                          DefaultArguments={"--token": "never to be written"})
    of("sagemaker").create_notebook_instance(NotebookInstanceName="lab", InstanceType="ml.t3.medium", RoleArn=role)


def posture(account, keys, region, role):
    def of(service):
        return client(service, region, keys)

    of("kms").create_key(Description="encrypts")
    trail = of("cloudtrail").create_trail(Name="main", S3BucketName=f"estate-{account}-2")["TrailARN"]
    of("cloudtrail").start_logging(Name=trail)
    of("guardduty").create_detector(Enable=True)
    of("config").put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role, "recordingGroup": {"allSupported": True}})
    subnets = [subnet["SubnetId"] for subnet in of("ec2").describe_subnets()["Subnets"]]
    of("eks").create_cluster(name="main", roleArn=role, resourcesVpcConfig={"subnetIds": subnets})
    of("rds").create_db_instance(DBInstanceIdentifier="ledger", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
                                 MasterUsername="root", MasterUserPassword="never to be read")
    of("rds").create_db_snapshot(DBSnapshotIdentifier="ledger-copy", DBInstanceIdentifier="ledger")
    of("efs").create_file_system(CreationToken="home", Encrypted=True)
    volume = of("ec2").create_volume(Size=1, AvailabilityZone=f"{region}a")["VolumeId"]
    of("ec2").create_snapshot(VolumeId=volume)


def organization():
    organizations = client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    home = client("sts").get_caller_identity()["Account"]
    accounts = [home]
    unit = organizations.create_organizational_unit(ParentId=root, Name="prod")["OrganizationalUnit"]["Id"]
    for index in range(1, ACCOUNTS):
        made = organizations.create_account(AccountName=f"account-{index}", Email=f"a{index}@example.com")
        account = made["CreateAccountStatus"]["AccountId"]
        accounts.append(account)
        organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
    policy = organizations.create_policy(
        Name="stay", Description="no one leaves", Type="SERVICE_CONTROL_POLICY",
        Content=json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}]}))
    organizations.attach_policy(PolicyId=policy["Policy"]["PolicySummary"]["Id"], TargetId=unit)
    return accounts


def people(account):
    sso, store = client("sso-admin"), client("identitystore")
    instance = sso.list_instances()["Instances"][0]
    arn, of = instance["InstanceArn"], instance["IdentityStoreId"]
    user = store.create_user(IdentityStoreId=of, UserName="dev.mira", DisplayName="Mira", Name={"GivenName": "M", "FamilyName": "O"})
    group = store.create_group(IdentityStoreId=of, DisplayName="web")
    store.create_group_membership(IdentityStoreId=of, GroupId=group["GroupId"], MemberId={"UserId": user["UserId"]})
    made = sso.create_permission_set(Name="WebDeploy", InstanceArn=arn, Description="web")["PermissionSet"]["PermissionSetArn"]
    sso.put_inline_policy_to_permission_set(InstanceArn=arn, PermissionSetArn=made, InlinePolicy=allow("s3:PutObject"))
    sso.attach_managed_policy_to_permission_set(InstanceArn=arn, PermissionSetArn=made, ManagedPolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    sso.create_account_assignment(InstanceArn=arn, PermissionSetArn=made, TargetId=account, TargetType="AWS_ACCOUNT",
                                  PrincipalType="GROUP", PrincipalId=group["GroupId"])
    sso.provision_permission_set(InstanceArn=arn, PermissionSetArn=made, TargetType="ALL_PROVISIONED_ACCOUNTS")


def main():
    accounts = organization()
    people(accounts[1])
    for number, account in enumerate(accounts):
        keys = None
        if number:
            role = f"arn:aws:iam::{account}:role/PortreeveCollect"
            keys = client("sts").assume_role(RoleArn=role, RoleSessionName="fill")["Credentials"]
        count = PRINCIPALS * (number + 1) // ACCOUNTS - PRINCIPALS * number // ACCOUNTS
        role = identities(account, keys, number, count)
        buckets(account, keys, number)
        for region in REGIONS:
            resources(account, keys, region, role)
            posture(account, keys, region, role)
        client("iam", keys=keys).update_account_password_policy(MinimumPasswordLength=14)
    print(json.dumps(accounts))


main()
