aws ec2 modify-image-attribute --region {{.Region}} --image-id IMAGE_ID --imds-support v2.0
