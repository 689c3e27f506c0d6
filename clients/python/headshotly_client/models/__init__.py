"""Contains all the data models used in inputs/outputs"""

from .account import Account
from .deletion import Deletion
from .deliveries import Deliveries
from .delivery import Delivery
from .delivery_state import DeliveryState
from .endpoint_state import EndpointState
from .event_name import EventName
from .export import Export
from .export_state import ExportState
from .exports import Exports
from .job import Job
from .job_state import JobState
from .jobs import Jobs
from .new_deletion import NewDeletion
from .new_deletion_days import NewDeletionDays
from .new_job import NewJob
from .new_job_styles_item import NewJobStylesItem
from .new_webhook import NewWebhook
from .newly_registered import NewlyRegistered
from .photo import Photo
from .photos import Photos
from .problem import Problem
from .problem_errors_type_0_item import ProblemErrorsType0Item
from .result import Result
from .results import Results
from .seat import Seat
from .seat_link import SeatLink
from .seat_state import SeatState
from .seats import Seats
from .style import Style
from .upload_photo_file_params import UploadPhotoFileParams
from .webhook import Webhook
from .webhooks import Webhooks

__all__ = (
    "Account",
    "Deletion",
    "Deliveries",
    "Delivery",
    "DeliveryState",
    "EndpointState",
    "EventName",
    "Export",
    "ExportState",
    "Exports",
    "Job",
    "JobState",
    "Jobs",
    "NewDeletion",
    "NewDeletionDays",
    "NewJob",
    "NewJobStylesItem",
    "NewWebhook",
    "NewlyRegistered",
    "Photo",
    "Photos",
    "Problem",
    "ProblemErrorsType0Item",
    "Result",
    "Results",
    "Seat",
    "SeatLink",
    "SeatState",
    "Seats",
    "Style",
    "UploadPhotoFileParams",
    "Webhook",
    "Webhooks",
)
