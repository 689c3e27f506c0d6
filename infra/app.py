"""Makes the templates of one deployment: ``cdk synth -c account=… -c certificate=… -c image=…``."""

import aws_cdk as cdk
from headshotly_infra.deployment import FLAGS, plan_of, stacks

app = cdk.App(context=FLAGS)
stacks(app, plan_of(app))
app.synth()
