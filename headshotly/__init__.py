"""HeadShotly: professional headshots, under a security policy that runs."""
