aws ec2 modify-instance-metadata-options --region {{.Region}} \
  --instance-id {{.Instance}} --http-tokens {{.Tokens}}
