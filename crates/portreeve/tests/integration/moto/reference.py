"""Prints what the AWS command line prints, by the library that it is made of.

usage: reference.py ADDRESS SERVICE OPERATION REGION [INPUT]    all pages of one operation, as JSON
       reference.py ADDRESS apply < CALLS                       makes the calls, prints what they say
"""

import datetime
import json
import sys

import boto3
from botocore.exceptions import ClientError


def client(service, region):
    return boto3.client(service, region_name=region, endpoint_url=sys.argv[1], aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="x")


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).isoformat()
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)



def call(service, operation, region, values):
    aws = client(service, region)
    name = next(name for name, of in aws.meta.method_to_api_mapping.items() if of == operation)
    if aws.can_paginate(name):
        answer = aws.get_paginator(name).paginate(**values).build_full_result()
    else:
        answer = getattr(aws, name)(**values)
        answer.pop("ResponseMetadata", None)
    return answer


def answered(*entry):
    try:
        return call(*entry)
    except ClientError as error:
        return {"Error": error.response["Error"]["Code"]}


def main():
    if sys.argv[2] == "apply":
        print(json.dumps([answered(*entry) for entry in json.load(sys.stdin)], default=plain))
        return
    service, operation, region = sys.argv[2:5]
    values = json.loads(sys.argv[5]) if len(sys.argv) > 5 else {}
    print(json.dumps(call(service, operation, region, values), default=plain))


main()
