# An image (AMI) whose instances capture from their first call on, with Packer:
#   packer init examples
#   packer build -var package=imds-analyzer.tar.gz -var region=REGION examples
# docs/service.md says how the package is made; make it on the distribution of the image.

packer {
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = ">= 1.2.0"
    }
  }
}

variable "package" {
  type        = string
  description = "The package, on this machine."
}

variable "region" {
  type = string
}

source "amazon-ebs" "amazon_linux" {
  region        = var.region
  instance_type = "t3.small"
  ssh_username  = "ec2-user"
  ami_name      = "imds-analyzer-${formatdate("YYYYMMDDhhmmss", timestamp())}"

  source_ami_filter {
    owners      = ["amazon"]
    most_recent = true
    filters = {
      name = "al2023-ami-2023.*-x86_64"
    }
  }
}

build {
  sources = ["source.amazon-ebs.amazon_linux"]

  provisioner "file" {
    source      = var.package
    destination = "/tmp/imds-analyzer.tar.gz"
  }

  # It is not started here: the log of the image is to have no calls of the machine on
  # which that was made.
  provisioner "shell" {
    inline = [
      "set -e",
      "sudo dnf -y install libpcap",
      "mkdir /tmp/imds-analyzer",
      "tar -xzf /tmp/imds-analyzer.tar.gz -C /tmp/imds-analyzer",
      "sudo /tmp/imds-analyzer/scripts/install-service --no-start",
      "rm -r /tmp/imds-analyzer /tmp/imds-analyzer.tar.gz",
    ]
  }
}
