import os, time
import requests

base, session = os.environ['BASE'], requests.Session()
session.trust_env = False
for _ in range(int(os.environ['ROUNDS'])):
    headers = {}
    try:
        if os.environ['FLOW'] == 'v2':
            token = session.put(base + '/latest/api/token', headers={'X-aws-ec2-metadata-token-ttl-seconds': '60'}, timeout=2)
            if token.ok:
                headers['X-aws-ec2-metadata-token'] = token.text
        session.get(base + '/latest/meta-data/placement/region', headers=headers, timeout=2)
        session.head(base + '/latest/meta-data/absent', headers=headers, timeout=2)
    except requests.RequestException:
        pass
    time.sleep(int(os.environ['PAUSE']) / 1000)
