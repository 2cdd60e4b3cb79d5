resource "aws_instance" "example" {
  ami           = "IMAGE_ID"
  instance_type = "INSTANCE_TYPE"

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "{{.Tokens}}"
{{- with .HopLimit}}

    http_put_response_hop_limit = {{.}}
{{- end}}
  }
}

resource "aws_launch_template" "example" {
  image_id      = "IMAGE_ID"
  instance_type = "INSTANCE_TYPE"

  update_default_version = true

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "{{.Tokens}}"
{{- with .HopLimit}}

    http_put_response_hop_limit = {{.}}
{{- end}}
  }
}

resource "aws_ec2_instance_metadata_defaults" "example" {
  http_tokens = "{{if .Required}}required{{else}}no-preference{{end}}"
{{- if .Required}}{{with .HopLimit}}

  http_put_response_hop_limit = {{.}}
{{- end}}{{end}}
}
