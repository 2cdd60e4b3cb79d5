aws iam delete-role-policy --role-name ROLE_NAME --policy-name require-imdsv2
