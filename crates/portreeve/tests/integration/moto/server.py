"""A stand-in for AWS on loopback: moto behind a gate that counts calls, refuses and throttles some.

usage: server.py MODELS       prints its address and stays until standard input ends

MODELS is the folder of service models (crates/cloud/models). The gate is steered over HTTP:

GET  /_gate         {"calls": {"kms:ListKeys": 3, …}}: calls that reached moto or were refused
POST /_gate         {"deny": ["kms:ListKeys", "111122223333/kms:ListKeys"], "throttle": 7, "delay": 0.01}:
                    actions to refuse, in all accounts or one (for sts:AssumeRole: into one); one of
                    how many calls is throttled; how long each takes. Counts begin anew.
"""

import json
import pathlib
import re
import sys
import threading
import time
from urllib.parse import parse_qs

from moto.core.models import botocore_stubber  # noqa: F401  (loads moto's core before threads do)
from moto.moto_api import state_manager
from moto.ssoadmin.models import PermissionSet
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server


class Gate:
    def __init__(self, app, models):
        self.app = app
        self.lock = threading.Lock()
        self.steer({})
        # Keys of assumed roles, and whose they are.
        self.accounts = {}
        self.services, self.paths = {}, []
        for file in models.glob("*.json"):
            model = json.loads(file.read_text())
            self.services.setdefault(model["signing"], file.stem)
            if "target" in model:
                self.services[model["target"]] = file.stem
            if model["protocol"].startswith("rest"):
                for name, operation in model["operations"].items():
                    path, _, query = operation["uri"].partition("?")
                    pattern = re.sub(r"\{[^}]+\}", "[^/]+", path.rstrip("/")) + "/?"
                    self.paths.append((model["signing"], file.stem, name, operation["method"], re.compile(pattern), query))
        # The most telling pattern first.
        self.paths.sort(key=lambda entry: (-len(entry[5]), -len(entry[4].pattern)))

    def steer(self, orders):
        self.deny = set(orders.get("deny", []))
        self.throttle = orders.get("throttle", 0)
        self.delay = orders.get("delay", 0)
        self.number = 0
        self.calls = {}

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/_gate":
            if environ["REQUEST_METHOD"] == "POST":
                length = int(environ.get("CONTENT_LENGTH") or 0)
                self.steer(json.loads(environ["wsgi.input"].read(length) or b"{}"))
            body = json.dumps({"calls": self.calls}).encode()
            start_response("200 OK", [("content-type", "application/json"), ("content-length", str(len(body)))])
            return [body]
        service, operation, protocol = self.told(environ)
        # A role to assume stands for the account that it is in.
        role = environ.get("gate.role", "")
        action = f"{service}:{operation}"
        key = re.search(r"Credential=([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
        account = self.accounts.get(key.group(1) if key else "", "own")
        with self.lock:
            self.calls[action] = self.calls.get(action, 0) + 1
            self.number += 1
            throttled = self.throttle and self.number % self.throttle == 0
        if self.delay:
            time.sleep(self.delay)
        if throttled:
            return refuse(start_response, protocol, "ThrottlingException", "slower", "400 Bad Request")
        if {action, f"{account}/{action}", f"{role}/{action}"} & self.deny:
            code = {"ec2": "UnauthorizedOperation", "json": "AccessDeniedException"}.get(protocol, "AccessDenied")
            return refuse(start_response, protocol, code, "refused by the test", "403 Forbidden")
        if action in INSTEAD:
            return answered(start_response, *INSTEAD[action])
        answer = self.app(environ, start_response)
        if action == "sts:AssumeRole":
            answer = [b"".join(answer)]
            found = re.search(rb"<AccessKeyId>([^<]+)<.*arn:aws:sts::(\d{12}):", answer[0], re.S)
            if found:
                self.accounts[found.group(1).decode()] = found.group(2).decode()
        return answer

    def told(self, environ):
        """The service, the operation and the protocol of a call."""
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if target:
            prefix, _, operation = target.rpartition(".")
            return self.services.get(prefix, prefix), operation, "json"
        scope = re.search(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
        signed = scope.group(1) if scope else "sts"
        service = self.services.get(signed, signed)
        if "form-urlencoded" in environ.get("CONTENT_TYPE", ""):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = __import__("io").BytesIO(body)
            form = parse_qs(body.decode())
            operation = form.get("Action", ["?"])[0]
            environ["gate.role"] = form.get("RoleArn", [":::::"])[0].split(":")[4]
            return service, operation, "ec2" if service == "ec2" else "query"
        # As it was sent: an ARN in a path has its slashes escaped.
        path, query = environ["REQUEST_URI"].partition("?")[0], environ.get("QUERY_STRING", "")
        for signing, service, operation, method, pattern, wanted in self.paths:
            if signing == signed and method == environ["REQUEST_METHOD"] and pattern.fullmatch(path):
                if not wanted or re.match(rf"{wanted}(=|&|$)", query):
                    return service, operation, "rest-xml" if signed in ("s3", "cloudfront") else "rest-json"
        return signed, f"{environ['REQUEST_METHOD']} {path}?{query}", "rest-xml"


SERVICE = {
    "ServiceName": "site", "ServiceId": "0", "ServiceArn": "arn:aws:apprunner:eu-west-1:123456789012:service/site/0", "Status": "RUNNING",
}
# What moto does not know, as AWS answers it.
INSTEAD = {
    "accessanalyzer:ListAnalyzers": ("200 OK", {"analyzers": [{
        "arn": "arn:aws:access-analyzer:eu-west-1:123456789012:analyzer/all", "name": "all", "type": "ACCOUNT", "status": "ACTIVE"}]}),
    "rolesanywhere:ListTrustAnchors": ("200 OK", {"trustAnchors": []}),
    "route53domains:ListDomains": ("200 OK", {"Domains": [{"DomainName": "example.com", "AutoRenew": True, "TransferLock": False, "Expiry": 1914564800.0}]}),
    "eks:ListAccessEntries": ("200 OK", {"accessEntries": ["arn:aws:iam::123456789012:role/work/role-0-000"]}),
    "eks:DescribeAccessEntry": ("200 OK", {"accessEntry": {"principalArn": "arn:aws:iam::123456789012:role/work/role-0-000", "kubernetesGroups": []}}),
    "eks:ListAssociatedAccessPolicies": ("200 OK", {"associatedAccessPolicies": [{
        "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", "accessScope": {"type": "cluster"}}]}),
    "sso-admin:GetPermissionsBoundaryForPermissionSet": ("400 Bad Request", {"__type": "ResourceNotFoundException", "message": "none"}),
    "apprunner:ListServices": ("200 OK", {"ServiceSummaryList": [SERVICE]}),
    "apprunner:DescribeService": ("200 OK", {"Service": {**SERVICE, "CreatedAt": 1714564800.5, "SourceConfiguration": {"ImageRepository": {
        "ImageIdentifier": "public.ecr.aws/x/y:1", "ImageRepositoryType": "ECR_PUBLIC",
        "ImageConfiguration": {"RuntimeEnvironmentVariables": {"TOKEN": "never to be written"}}}}}}),
}


def answered(start_response, status, value):
    body = json.dumps(value).encode()
    start_response(status, [("content-type", "application/x-amz-json-1.1"), ("content-length", str(len(body)))])
    return [body]


def refuse(start_response, protocol, code, message, status):
    if protocol in ("json", "rest-json"):
        body, kind = json.dumps({"__type": code, "message": message}), "application/json"
    elif protocol == "ec2":
        body = f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>"
        kind = "text/xml"
    elif protocol == "query":
        body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        kind = "text/xml"
    else:
        body, kind = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>", "application/xml"
    headers = [("content-type", kind), ("content-length", str(len(body)))]
    if protocol == "rest-json":
        headers.append(("x-amzn-errortype", code))
    start_response(status, headers)
    return [body.encode()]


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_):
        pass


def main():
    gate = Gate(DomainDispatcherApplication(create_backend_app), pathlib.Path(sys.argv[1]))
    # As AWS names them: arn:aws:sso:::permissionSet/ssoins-…/ps-….
    named = PermissionSet.generate_id
    PermissionSet.generate_id = staticmethod(lambda instance: named(instance).replace(":instance/", ":permissionSet/"))
    # Otherwise a task goes on to its next state each time that one asks for it.
    state_manager.set_transition("ecs::task", {"progression": "manual", "times": 1_000_000})
    server = make_server("127.0.0.1", 0, gate, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()


main()
