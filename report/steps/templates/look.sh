aws ec2 describe-instances --region {{.Region}} --instance-ids {{.Instance}} \
  --query 'Reservations[].Instances[].MetadataOptions'
