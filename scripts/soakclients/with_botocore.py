import logging, os, time
from botocore.utils import InstanceMetadataFetcher

logging.disable(logging.CRITICAL)
for _ in range(int(os.environ['ROUNDS'])):
    InstanceMetadataFetcher(timeout=2, num_attempts=2, base_url=os.environ['BASE'] + '/', user_agent='Boto3/1 soak').retrieve_iam_role_credentials()
    time.sleep(int(os.environ['PAUSE']) / 1000)
