"""What ``bench.service`` compares with: the same pages as a bare Django project, with none of our rooms."""
