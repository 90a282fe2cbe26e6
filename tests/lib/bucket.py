"""A stand-in for a bucket (TEST): moto, which speaks the S3 API. It checks the signature of every request and allows only what
the policy of the one user allows, so a client with wrong credentials or a wrong way of signing is refused.

Prints one line of JSON: endpoint, bucket, access_key_id, secret_key. Ends with its standard input.
"""

import json
import os
import sys

# Read when moto is imported: calls that are allowed before the policy counts.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"

import boto3  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

BUCKET = "test-documents"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListBucket",
                       "s3:ListBucketMultipartUploads"],
            "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
        }
    ],
}


def main():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    options = dict(endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="TEST", aws_secret_access_key="TEST")
    iam = boto3.client("iam", **options)
    boto3.client("s3", **options).create_bucket(Bucket=BUCKET)
    iam.create_user(UserName="rubrica")
    iam.put_user_policy(UserName="rubrica", PolicyName="objects", PolicyDocument=json.dumps(POLICY))
    key = iam.create_access_key(UserName="rubrica")["AccessKey"]
    print(
        json.dumps(
            {
                "endpoint": endpoint,
                "bucket": BUCKET,
                "access_key_id": key["AccessKeyId"],
                "secret_key": key["SecretAccessKey"],
            }
        ),
        flush=True,
    )
    sys.stdin.read()
    server.stop()


main()
