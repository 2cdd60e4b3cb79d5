aws ec2 get-instance-metadata-defaults --region {{.Region}}
