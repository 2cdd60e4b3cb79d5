aws iam put-role-policy --role-name ROLE_NAME --policy-name require-imdsv2 \
  --policy-document file://require-imdsv2-role.json
