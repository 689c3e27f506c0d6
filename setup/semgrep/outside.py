# What the rules of outside.yml must find (ruleid) and must not (ok). Never imported.

# ruleid: outside-past-the-gate
import requests
# ruleid: outside-past-the-gate
from urllib.request import urlopen
# ok: outside-past-the-gate
from urllib.parse import urlencode
# ok: outside-past-the-gate
from headshotly.vendors import posting

# ruleid: vendor-library-outside-its-adapter
import boto3
# ruleid: vendor-library-outside-its-adapter
import stripe
# ok: vendor-library-outside-its-adapter
from headshotly.vendors import aws


def connect(host, session):
    # ruleid: certificate-not-looked-at
    context = ssl._create_unverified_context()
    # ruleid: certificate-not-looked-at
    session.get(host, verify=False)
    # ok: certificate-not-looked-at
    session.get(host, verify="/etc/ssl/ours.pem")
    # ok: certificate-not-looked-at
    return ssl.create_default_context()


def read(words):
    import xml.etree.ElementTree

    # ruleid: xml-with-entities
    one = xml.etree.ElementTree.fromstring(words)
    # ok: xml-with-entities
    xml.etree.ElementTree.SubElement(one, "x")
    # ok: xml-with-entities
    two = defusedxml.ElementTree.fromstring(words)
    return one, two


def ask(cursor, table, value, Photo):
    # ruleid: query-made-of-words
    cursor.execute(f"SELECT * FROM {table}")
    # ruleid: query-made-of-words
    cursor.execute("SELECT * FROM photo WHERE id = %s" % value)
    # ruleid: query-made-of-words
    Photo.objects.extra(where=["1=1"])
    # ok: query-made-of-words
    cursor.execute("SELECT * FROM photo WHERE id = %s", [value])
