"""Who is knocking: users and the shapes of their number, for `locust -f`. Nothing of the project is imported here, and
nothing here is imported by it: locust patches the process that it runs in.

    locust -f loadtests/users/plain.py,loadtests/shapes/step.py --host http://127.0.0.1:18081 --headless

Every parameter is an option of locust's command line and an environment variable; `locust -f … --help` lists them.
"""
