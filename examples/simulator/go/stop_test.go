// A function that stops starving streams, tested with the AWS SDK for Go v2 against the simulator:
//
//	go mod init example && go mod tidy && go test
//
// It needs Node 20 or newer for the simulator. SIMULATOR is the command that starts one; the default is "npx ivs-autopilot simulator".
package example

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ivs"
	"github.com/aws/aws-sdk-go-v2/service/ivs/types"
)

// stopStarving stops every stream whose health is STARVING, and returns the ARNs of their channels.
func stopStarving(ctx context.Context, client *ivs.Client) ([]string, error) {
	var stopped []string
	pages := ivs.NewListStreamsPaginator(client, &ivs.ListStreamsInput{
		FilterBy: &types.StreamFilters{Health: types.StreamHealthStarving},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return stopped, err
		}
		for _, stream := range page.Streams {
			if _, err := client.StopStream(ctx, &ivs.StopStreamInput{ChannelArn: stream.ChannelArn}); err != nil {
				return stopped, err
			}
			stopped = append(stopped, aws.ToString(stream.ChannelArn))
		}
	}
	return stopped, nil
}

// addresses is what the simulator prints with --json.
type addresses struct {
	URL        string `json:"url"`
	ControlURL string `json:"controlUrl"`
}

// startSimulator starts one with three live channels, and ends it with the test.
func startSimulator(t *testing.T) addresses {
	t.Helper()
	command := os.Getenv("SIMULATOR")
	if command == "" {
		command = "npx ivs-autopilot simulator"
	}
	words := append(strings.Fields(command), "--port", "0", "--channels", "3", "--live", "3", "--timings", "quick", "--json")
	process := exec.Command(words[0], words[1:]...)
	process.Stderr = os.Stderr
	output, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		_ = process.Wait()
	})
	line, err := bufio.NewReader(output).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var found addresses
	if err := json.Unmarshal(line, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestStopsTheOneThatStarves(t *testing.T) {
	ctx := context.Background()
	simulator := startSimulator(t)
	client := ivs.New(ivs.Options{
		Region: "us-west-2",
		// BaseEndpoint in newer releases of the SDK does the same.
		EndpointResolver: ivs.EndpointResolverFromURL(simulator.URL),
		// It accepts any credentials; these are nobody's.
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "simulator", SecretAccessKey: "simulator"}, nil
		}),
	})
	channels, err := client.ListChannels(ctx, &ivs.ListChannelsInput{})
	if err != nil {
		t.Fatal(err)
	}
	starving := aws.ToString(channels.Channels[1].Arn)
	body, _ := json.Marshal(map[string][]string{"channels": {starving}})
	answer, err := http.Post(simulator.ControlURL+"/streams/starve", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()

	stopped, err := stopStarving(ctx, client)

	if err != nil || !reflect.DeepEqual(stopped, []string{starving}) {
		t.Fatalf("stopped %v (%v), not %v", stopped, err, starving)
	}
}
