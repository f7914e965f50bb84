from http import HTTPStatus
from typing import Any, cast

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.api_response import ApiResponse
from ...models.task_record_response import TaskRecordResponse
from ...types import UNSET, Response


def _get_kwargs(
    *,
    task_id: str,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["taskId"] = task_id

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/api/v1/jobs/recordInfo",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Any | ApiResponse | TaskRecordResponse | None:
    if response.status_code == 200:
        response_200 = TaskRecordResponse.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = ApiResponse.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = ApiResponse.from_dict(response.json())

        return response_401

    if response.status_code == 404:
        response_404 = ApiResponse.from_dict(response.json())

        return response_404

    if response.status_code == 429:
        response_429 = ApiResponse.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = cast(Any, None)
        return response_500

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Any | ApiResponse | TaskRecordResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    task_id: str,
) -> Response[Any | ApiResponse | TaskRecordResponse]:
    """Get Task Details

     Query the status and results of any task created in the Market models. This is a unified query
    interface that works with all models under the Market category.

    ### Supported Models
    This endpoint works with all Market models including:
    - **Seedream**: seedream, seedream-v4-text-to-image, etc.
    - **Grok Imagine**: text-to-image, image-to-video, text-to-video, upscale
    - **Kling**: text-to-video, image-to-video models
    - **ElevenLabs**: Audio processing models
    - **Claude**: Language models
    - **And any future models added to the Market**

    ### Task States
    - **waiting**: Task is queued and waiting to be processed
    - **queuing**: Task is in the processing queue
    - **generating**: Task is currently being processed
    - **success**: Task completed successfully
    - **fail**: Task failed

    ### Best Practices
    - **Use callbacks for production**: Include `callBackUrl` when creating tasks to avoid polling
    - **Implement exponential backoff**: Start with 2-3 second intervals, increase gradually
    - **Handle timeouts**: Stop polling after 10-15 minutes
    - **Download results immediately**: Generated content URLs typically expire after 24 hours

    Args:
        task_id (str):  Example: task_12345678.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ApiResponse | TaskRecordResponse]
    """

    kwargs = _get_kwargs(
        task_id=task_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    task_id: str,
) -> Any | ApiResponse | TaskRecordResponse | None:
    """Get Task Details

     Query the status and results of any task created in the Market models. This is a unified query
    interface that works with all models under the Market category.

    ### Supported Models
    This endpoint works with all Market models including:
    - **Seedream**: seedream, seedream-v4-text-to-image, etc.
    - **Grok Imagine**: text-to-image, image-to-video, text-to-video, upscale
    - **Kling**: text-to-video, image-to-video models
    - **ElevenLabs**: Audio processing models
    - **Claude**: Language models
    - **And any future models added to the Market**

    ### Task States
    - **waiting**: Task is queued and waiting to be processed
    - **queuing**: Task is in the processing queue
    - **generating**: Task is currently being processed
    - **success**: Task completed successfully
    - **fail**: Task failed

    ### Best Practices
    - **Use callbacks for production**: Include `callBackUrl` when creating tasks to avoid polling
    - **Implement exponential backoff**: Start with 2-3 second intervals, increase gradually
    - **Handle timeouts**: Stop polling after 10-15 minutes
    - **Download results immediately**: Generated content URLs typically expire after 24 hours

    Args:
        task_id (str):  Example: task_12345678.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ApiResponse | TaskRecordResponse
    """

    return sync_detailed(
        client=client,
        task_id=task_id,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    task_id: str,
) -> Response[Any | ApiResponse | TaskRecordResponse]:
    """Get Task Details

     Query the status and results of any task created in the Market models. This is a unified query
    interface that works with all models under the Market category.

    ### Supported Models
    This endpoint works with all Market models including:
    - **Seedream**: seedream, seedream-v4-text-to-image, etc.
    - **Grok Imagine**: text-to-image, image-to-video, text-to-video, upscale
    - **Kling**: text-to-video, image-to-video models
    - **ElevenLabs**: Audio processing models
    - **Claude**: Language models
    - **And any future models added to the Market**

    ### Task States
    - **waiting**: Task is queued and waiting to be processed
    - **queuing**: Task is in the processing queue
    - **generating**: Task is currently being processed
    - **success**: Task completed successfully
    - **fail**: Task failed

    ### Best Practices
    - **Use callbacks for production**: Include `callBackUrl` when creating tasks to avoid polling
    - **Implement exponential backoff**: Start with 2-3 second intervals, increase gradually
    - **Handle timeouts**: Stop polling after 10-15 minutes
    - **Download results immediately**: Generated content URLs typically expire after 24 hours

    Args:
        task_id (str):  Example: task_12345678.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Any | ApiResponse | TaskRecordResponse]
    """

    kwargs = _get_kwargs(
        task_id=task_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    task_id: str,
) -> Any | ApiResponse | TaskRecordResponse | None:
    """Get Task Details

     Query the status and results of any task created in the Market models. This is a unified query
    interface that works with all models under the Market category.

    ### Supported Models
    This endpoint works with all Market models including:
    - **Seedream**: seedream, seedream-v4-text-to-image, etc.
    - **Grok Imagine**: text-to-image, image-to-video, text-to-video, upscale
    - **Kling**: text-to-video, image-to-video models
    - **ElevenLabs**: Audio processing models
    - **Claude**: Language models
    - **And any future models added to the Market**

    ### Task States
    - **waiting**: Task is queued and waiting to be processed
    - **queuing**: Task is in the processing queue
    - **generating**: Task is currently being processed
    - **success**: Task completed successfully
    - **fail**: Task failed

    ### Best Practices
    - **Use callbacks for production**: Include `callBackUrl` when creating tasks to avoid polling
    - **Implement exponential backoff**: Start with 2-3 second intervals, increase gradually
    - **Handle timeouts**: Stop polling after 10-15 minutes
    - **Download results immediately**: Generated content URLs typically expire after 24 hours

    Args:
        task_id (str):  Example: task_12345678.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Any | ApiResponse | TaskRecordResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            task_id=task_id,
        )
    ).parsed
