aws ec2 modify-instance-metadata-defaults --region {{.Region}} --http-tokens-enforced enabled
