"""A function that stops starving streams, tested with boto3 against the simulator: python3 -m unittest discover examples/simulator/python

It needs boto3, and Node 20 or newer for the simulator. SIMULATOR is the command that starts one, such as "npx ivs-autopilot simulator".
"""

import json
import os
import shlex
import subprocess
import unittest
import urllib.request

import boto3


def stop_starving(ivs):
    """Stops every stream whose health is STARVING, and returns the ARNs of their channels."""
    stopped = []
    for page in ivs.get_paginator("list_streams").paginate(filterBy={"health": "STARVING"}):
        for stream in page["streams"]:
            ivs.stop_stream(channelArn=stream["channelArn"])
            stopped.append(stream["channelArn"])
    return stopped


class StopStarving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        command = shlex.split(os.environ.get("SIMULATOR", "npx ivs-autopilot simulator"))
        options = ["--port", "0", "--channels", "3", "--live", "3", "--timings", "quick", "--json"]
        cls.simulator = subprocess.Popen(command + options, stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.simulator.stdout.close)
        cls.addClassCleanup(cls.simulator.wait)
        cls.addClassCleanup(cls.simulator.terminate)
        # With --json its first line contains its addresses.
        cls.addresses = json.loads(cls.simulator.stdout.readline())
        cls.ivs = boto3.client(
            "ivs",
            endpoint_url=cls.addresses["url"],
            region_name="us-west-2",
            # It accepts any credentials; these are nobody's.
            aws_access_key_id="simulator",
            aws_secret_access_key="simulator",
        )

    def control(self, path, body):
        """Asks the control API: what happens to streams, which AWS cannot be asked for."""
        request = urllib.request.Request(
            self.addresses["controlUrl"] + path,
            data=json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def test_stops_the_one_that_starves(self):
        channels = self.ivs.list_channels()["channels"]
        starving = channels[1]["arn"]
        self.control("/streams/starve", {"channels": [starving]})

        self.assertEqual(stop_starving(self.ivs), [starving])

        live = [stream["channelArn"] for stream in self.ivs.list_streams()["streams"]]
        self.assertNotIn(starving, live)
        self.assertEqual(len(live), 2)


if __name__ == "__main__":
    unittest.main()
