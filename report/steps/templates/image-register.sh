aws ec2 register-image --region {{.Region}} --name IMAGE_NAME \
  --architecture ARCHITECTURE --virtualization-type hvm --ena-support \
  --root-device-name ROOT_DEVICE_NAME \
  --block-device-mappings 'DeviceName=ROOT_DEVICE_NAME,Ebs={SnapshotId=SNAPSHOT_ID}'{{if .Required}} \
  --imds-support v2.0{{end}}
