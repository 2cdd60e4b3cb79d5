// Program soakclients has an AWS SDK for Go ask the metadata service, as programs do that use it.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	credentials1 "github.com/aws/aws-sdk-go/aws/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go/aws/ec2metadata"
	"github.com/aws/aws-sdk-go/aws/session"

	credentials2 "github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// What the service answers is its own affair: many of its answers are errors.
func main() {
	asks := map[string]func() func(){"v1": newV1, "v2": newV2}
	if len(os.Args) != 2 || asks[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: soakclients v1|v2")
		os.Exit(2)
	}
	ask := asks[os.Args[1]]()
	for range number("ROUNDS") {
		ask()
		time.Sleep(time.Duration(number("PAUSE")) * time.Millisecond)
	}
}

// number is what a variable of the environment says.
func number(name string) int {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		panic(err)
	}
	return n
}

func newV1() func() {
	client := ec2metadata.New(session.Must(session.NewSession()))
	return func() {
		_, _ = client.GetMetadata("placement/region")
		_, _ = client.GetMetadata("absent")
		_, _ = (&credentials1.EC2RoleProvider{Client: client}).Retrieve()
	}
}

func newV2() func() {
	ctx, client := context.Background(), imds.New(imds.Options{})
	if endpoint := os.Getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"); endpoint != "" {
		client = imds.New(imds.Options{Endpoint: endpoint})
	}
	return func() {
		if answer, err := client.GetMetadata(ctx, &imds.GetMetadataInput{Path: "placement/region"}); err == nil {
			_ = answer.Content.Close()
		}
		_, _ = client.GetMetadata(ctx, &imds.GetMetadataInput{Path: "absent"})
		_, _ = credentials2.New(func(o *credentials2.Options) { o.Client = client }).Retrieve(ctx)
	}
}
