"""Messages of Amazon ECS as they were recorded, and the causes that they are taken for."""

from __future__ import annotations

AUTH = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:langgraph-cloud/chat/environment-AbCdEf"
REF = "123456789012.dkr.ecr.us-west-2.amazonaws.com/agents/chat:1.0.0"
HUB = "https://registry-1.docker.io/v2/library/redis/manifests/7.4-alpine"

MESSAGES = [
    # The image.
    (f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {REF}: "
     f"{REF}: not found", "image-not-found"),
    (f"CannotPullContainerError: inspect image has been retried 1 time(s): failed to resolve ref \"{REF}\": "
     f"{REF}: not found", "image-not-found"),
    ("CannotPullContainerError: Error response from daemon: manifest for agents/chat:1 not found: manifest unknown: "
     "manifest unknown", "image-not-found"),
    ("CannotPullContainerError: The repository with name 'agents/chat' does not exist in the registry with id "
     "'123456789012'", "image-not-found"),
    (f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {REF}: "
     "unexpected status from HEAD request to https://123456789012.dkr.ecr.us-west-2.amazonaws.com/v2/agents/chat/"
     "manifests/1.0.0: 403 Forbidden", "image-denied"),
    ("CannotPullContainerError: pull access denied for agents/chat, repository does not exist or may require "
     "'docker login': denied: requested access to the resource is denied", "image-denied"),
    ("CannotPullContainerError: inspect image has been retried 1 time(s): failed to resolve ref: pulling from host "
     "failed with status code [manifests 1.0.0]: 401 Unauthorized", "image-denied"),
    (f"CannotPullContainerError: inspect image has been retried 5 time(s): httpReadSeeker: failed open: unexpected "
     f"status code {HUB}: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate "
     "limit.", "image-rate-limit"),
    ("CannotPullContainerError: failed to copy: toomanyrequests: Rate exceeded", "image-rate-limit"),
    (f"CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref {REF}: failed "
     f"to do request: Head \"{HUB}\": dial tcp 34.205.13.154:443: i/o timeout", "image-unreachable"),
    ("CannotPullContainerError: Error response from daemon: Get https://123456789012.dkr.ecr.us-west-2.amazonaws.com/"
     "v2/: net/http: request canceled while waiting for connection", "image-unreachable"),
    ("CannotPullContainerError: pull image manifest has been retried 7 time(s): image Manifest does not contain "
     "descriptor matching platform 'linux/amd64'", "image-platform"),
    ("CannotPullContainerError: invalid reference format", "image-name"),
    ("CannotPullContainerError: unexpected status code: 503 Service Unavailable", "aws-fault"),
    ("CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: short read", "image-pull"),
    ("CannotPullECRContainerError: AccessDeniedException: User is not authorized to perform: ecr:BatchGetImage",
     "image-denied"),
    # Secrets.
    (AUTH + f"unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
     f"{ARN} from secrets manager: AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/LangGraphCloud"
     "ECSTaskExecutionRole/9f8e is not authorized to perform: secretsmanager:GetSecretValue on resource: "
     f"{ARN} because no identity-based policy allows the action", "secret-denied"),
    (AUTH + f"unable to retrieve secret from asm: failed to fetch secret {ARN} from secrets manager: "
     "AccessDeniedException: Access to KMS is not allowed status code: 400", "secret-denied"),
    (AUTH + "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
     f"{ARN} from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
     "secret-gone"),
    (AUTH + f"unable to retrieve secret from asm: failed to fetch secret {ARN} from secrets manager: "
     "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.",
     "secret-gone"),
    (AUTH + f"unable to retrieve secret from asm: failed to fetch secret {ARN} from secrets manager: "
     "ResourceNotFoundException: Secrets Manager can't find the specified secret value for VersionId: 0a1b2c",
     "secret-version-gone"),
    (AUTH + f"unable to retrieve secret from asm: failed to fetch secret {ARN} from secrets manager: "
     "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
     "secret-version-gone"),
    (AUTH + "unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret from "
     "Secrets Manager did not contain json key OPENAI_API_KEY", "secret-key-missing"),
    (AUTH + f"unable to retrieve secret from asm: service call has been retried 5 time(s): failed to fetch secret "
     f"{ARN} from secrets manager: RequestCanceled: request context canceled caused by: context deadline exceeded. "
     "Please check your task network configuration.", "secret-unreachable"),
    (AUTH + "unable to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: send "
     "request failed caused by: Post https://api.ecr.us-west-2.amazonaws.com/: dial tcp: i/o timeout",
     "registry-unreachable"),
    ("ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from "
     "Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration.",
     "registry-unreachable"),
    (AUTH + "unable to retrieve secret from asm: service call has been retried 1 time(s): invalid character 'p' in "
     "literal true (expecting 'r')", "secret-key-missing"),
    (AUTH + "unable to retrieve secret from asm: service call has been retried 1 time(s): something new",
     "secret-pull"),
    # Logs, roles, start.
    ("ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to "
     "create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.", "log-group"),
    ("ECS was unable to assume the role 'arn:aws:iam::123456789012:role/LangGraphCloudECSTaskExecutionRole' that was "
     "provided for this task. Please verify that the role being passed has the proper trust relationship and "
     "permissions.", "role-not-assumable"),
    ("CannotStartContainerError: Error response from daemon: OCI runtime create failed: container_linux.go: starting "
     "container process caused: exec: \"/entry\": no such file or directory", "cannot-run"),
    ("ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 1m", "cannot-run"),
    # As ECS words it since 2024, with what it found out itself before the registry's words.
    ("CannotPullContainerError: The task can\u2019t pull the image. Check that the role has the permissions to pull "
     "images from the registry.", "image-denied"),
    ("CannotPullContainerError: The task can\u2019t pull the image. Check whether the image exists. Error response "
     f"from daemon: pull access denied for {REF}, repository does not exist or may require 'docker login': denied: "
     "requested access to the resource is denied", "image-not-found"),
    ("CannotPullContainerError: The task can\u2019t pull the image. Check your network configuration. Error response "
     "from daemon: Get \"https://registry-1.docker.io/v2/\": net/http: request canceled while waiting for connection",
     "image-unreachable"),
    ("CannotPullContainerError: context canceled", "image-unreachable"),
    (f"CannotPullContainerError: ref pull has been retried 1 time(s): failed to register layer: write {REF}: no "
     "space left on device", "disk-full"),
    ("ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch log "
     "group defined in the task definition. There is a connection issue between the task and Amazon CloudWatch. "
     "Check your network configuration. : signal: killed", "log-group"),
    ("ECS was unable to assume the service linked role. Please verify that the ECS service linked role exists.",
     "service-linked-role"),
    # Network interfaces and capacity.
    ("Timeout waiting for network interface provisioning to complete.", "network-interface"),
    ("Network interface provision complete error timeout wait for network interface provision", "network-interface"),
    ("Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled in subnet "
     "'subnet-0a1b2c3d4e5f60718': InsufficientFreeAddressesInSubnet", "subnet-full"),
    ("Unexpected EC2 error while attempting to Create Network Interface: NetworkInterfaceLimitExceeded",
     "interface-limit"),
    ("Unexpected EC2 error while attempting to Create Network Interface: InternalError", "aws-fault"),
    ("Capacity is unavailable at this time. Please try again later or in a different availability zone", "capacity"),
    ("RESOURCE:FARGATE", "capacity"),
    ("You've reached the limit on the number of vCPUs you can run concurrently", "fargate-quota"),
    ("You've reached the limit on the number of tasks you can run concurrently", "fargate-quota"),
    ("You\u2019ve reached the limit on the number of vCPUs you can run concurrently", "fargate-quota"),
    ("The requested CPU configuration is above your limit.", "fargate-quota"),
    # What runs and ends.
    ("OutOfMemoryError: Container killed due to memory usage", "out-of-memory"),
    ("Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/"
     "chat/0123456789abcdef)", "health-check"),
    ("Task failed container health checks", "health-check"),
]  # fmt: skip
